import { createHash, createHmac } from 'node:crypto';
import test from 'ava';
import {
  account,
  identifier,
  literal,
  nativeHash,
} from '../../../minion/state-types/databases/lib/mysql-quote.ts';
import {
  parseGrants,
  splitPrivileges,
} from '../../../minion/state-types/databases/lib/mysql-grants.ts';
import {
  isVerifier,
  passwordWorks,
  scramVerifier,
} from '../../../minion/state-types/databases/lib/scram.ts';
import { mysqlDatabasePresent } from '../../../minion/state-types/databases/mysql-database.ts';
import {
  mysqlGrantsAbsent,
  mysqlGrantsPresent,
} from '../../../minion/state-types/databases/mysql-grants.ts';
import { mysqlUserPresent } from '../../../minion/state-types/databases/mysql-user.ts';
import { postgresDatabasePresent } from '../../../minion/state-types/databases/postgres-database.ts';
import { secretNamesOf } from '../../../language/states/secret-names.ts';
import { postgresHbaRule } from '../../../minion/state-types/databases/postgres-hba.ts';
import { postgresPrivilegesPresent } from '../../../minion/state-types/databases/postgres-privileges.ts';
import {
  postgresUserAbsent,
  postgresUserPresent,
} from '../../../minion/state-types/databases/postgres-user.ts';
import { parseHba, writeHba } from '../../../minion/state-types/databases/lib/hba.ts';
import {
  quoted,
  valuesOf,
  withSettings,
} from '../../../minion/state-types/databases/lib/redis-file.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { askPatiently } from '../../../minion/state-types/databases/lib/patience.ts';
import { tellServer as tellMysql } from '../../../minion/state-types/databases/lib/mysql.ts';
import { signatureOf } from '../../../minion/state-types/databases/lib/postgres-acl.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { Answer, FakeHost, HostState } from '../../helpers/fake-host.ts';

const PSQL =
  'psql --no-psqlrc --quiet --tuples-only --no-align --no-password --set=ON_ERROR_STOP=1 --dbname=postgres';
const MYSQL =
  'mysql --batch --raw --binary-mode --skip-column-names --default-character-set=utf8mb4 --connect-timeout=10';
const PASSWORD = 'hunter2 is no password';

const NOTHING_STARTS = {
  'systemctl list-units --no-legend --plain --state=activating,reloading -- postgresql*': '',
};

function server(command: string, answer: Answer): HostState {
  return { commands: { ...NOTHING_STARTS, [command]: answer } };
}

/** What stood on the standard input of the commands that changed something. */
function told(host: FakeHost): string {
  return host.calls.map(({ options }) => String(options.input)).join('\n');
}

test('the verifier of a password is the one of RFC 7677', (t) => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const verifier = scramVerifier('pencil', { salt, iterations: 4096 });
  t.true(verifier.startsWith('SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$'));
  const [stored = '', serverKey = ''] = (verifier.split('$')[2] ?? '').split(':');
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
  const signature = createHmac('sha256', Buffer.from(serverKey, 'base64')).update(message);
  t.is(signature.digest('base64'), '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
  const mask = createHmac('sha256', Buffer.from(stored, 'base64')).update(message).digest();
  const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (mask[index] ?? 0)));
  t.is(createHash('sha256').update(clientKey).digest('base64'), stored);
});

test('a password is compared with what the server keeps of it', (t) => {
  const kept = scramVerifier(PASSWORD);
  t.not(kept, scramVerifier(PASSWORD), 'every verifier has a salt of its own');
  t.true(passwordWorks(PASSWORD, 'shop', kept));
  t.false(passwordWorks(`${PASSWORD}!`, 'shop', kept));
  t.true(passwordWorks(kept, 'shop', kept));
  t.false(passwordWorks(PASSWORD, 'shop', null));
  t.false(passwordWorks(PASSWORD, 'shop', 'SCRAM-SHA-256$nonsense'));
  const md5 = `md5${createHash('md5').update('hunter2shop').digest('hex')}`;
  t.true(passwordWorks('hunter2', 'shop', md5));
  t.false(passwordWorks('hunter2', 'other', md5));
  t.true(isVerifier(md5) && isVerifier(kept) && !isVerifier('hunter2'));
  t.true(passwordWorks('a\u00A0b\u2168', 'shop', scramVerifier('a bIX')), 'as SASLprep has it');
});

const ROLE = {
  login: true,
  superuser: false,
  createdb: false,
  createroles: false,
  inherit: true,
  replication: false,
  connection_limit: -1,
  valid_until: null,
  groups: ['staff'],
};
const verifier = scramVerifier(PASSWORD);
const roles = (held: object, readable = true): string => JSON.stringify({ readable, roles: held });
const team = { ...ROLE, login: false, groups: [], verifier: null };
const before = server(PSQL, roles({ team, shop: { ...ROLE, verifier: null } }));
const after = server(
  PSQL,
  roles({ team, shop: { ...ROLE, createdb: true, groups: ['team'], verifier } }),
);
const declared = { name: 'shop', password: PASSWORD, createdb: true, groups: ['team'] };

test('a role gets only what differs, and its password only as a verifier on standard input', async (t) => {
  const host = fakeHost(before, after);
  const { status } = await converge(postgresUserPresent, declared, host, forReal);
  t.is(status, 'changed');
  t.deepEqual(host.ran, [PSQL]);
  const input = told(host);
  t.regex(input, /\\set verifier 'SCRAM-SHA-256\$4096:[^']+'/);
  t.regex(input, /^ALTER ROLE :"role" CREATEDB PASSWORD :'verifier';$/m);
  t.regex(input, /^GRANT :"group0" TO :"role";\nREVOKE :"group1" FROM :"role";$/m);
  for (const { argv, options } of [...host.calls, ...host.queries]) {
    t.false(JSON.stringify([argv, options]).includes(PASSWORD));
    t.is(options.user, 'postgres');
  }
});

test('a dry run only asks the server, and a role that is right is left alone', async (t) => {
  const host = fakeHost(before);
  const { status } = await converge(postgresUserPresent, declared, host, dryRun);
  t.is(status, 'would-change');
  t.deepEqual(host.ran, []);
  const same = fakeHost(after);
  t.deepEqual(await converge(postgresUserPresent, declared, same, forReal), {
    status: 'unchanged',
  });
  t.is(same.queries.length, 1);
});

/** What a server has, and what it says of what hangs on a thing that is to be dropped. */
function holding(has: string, depending: string): Answer {
  return (input) => (/pg_(?:sh)?depend/u.test(input) ? depending : has);
}

test('what something else hangs on is not dropped, and a plan names that', async (t) => {
  const owns = '["owner of database shop", "a", "b", "c", "d"]';
  const robot = { robot: { ...ROLE, verifier: null } };
  const host = fakeHost(server(PSQL, holding(roles(robot), owns)));
  for (const options of [dryRun, forReal]) {
    await t.throwsAsync(converge(postgresUserAbsent, { name: 'robot' }, host, options), {
      code: 'STATE_REFUSED',
      message: 'Cannot drop the role "robot": it is still owner of database shop, a, b, 2 more',
    });
  }
  t.deepEqual(host.ran, []);
});

test('what varies stands in no statement as text', async (t) => {
  const name = `it's \\ "x"; DROP TABLE a`;
  const host = fakeHost(
    server(PSQL, holding(roles({ [name]: { ...ROLE, verifier: null } }), '[]')),
    server(PSQL, roles({})),
  );
  await converge(postgresUserAbsent, { name }, host, forReal);
  t.regex(told(host), /^\\set role 'it\\'s \\\\ "x"; DROP TABLE a'$/m);
  t.regex(told(host), /^DROP ROLE :"role";$/m);
  t.false(postgresUserAbsent.schema.safeParse({ name: 'a\n\\! reboot' }).success);
});

test('roles are asked for once for all of them', async (t) => {
  const host = fakeHost(after);
  await converge(postgresUserPresent, declared, host, dryRun);
  await converge(postgresUserPresent, { name: 'shop' }, host, dryRun);
  t.is(host.queries.length, 1);
});

test('a server that is down is waited for briefly, then a clear failure', async (t) => {
  const stderr =
    'psql: error: connection to server on socket "/x" failed: No such file or directory';
  const host = fakeHost(server(PSQL, { exitCode: 2, stderr }));
  await t.throwsAsync(converge(postgresUserPresent, declared, host, dryRun), {
    code: 'STATE_REFUSED',
    message: /^Cannot reach PostgreSQL: the server is not up: /,
  });
  t.is(
    host.slept.reduce((sum, time) => sum + time, 0),
    5000,
  );
  const starting = fakeHost(
    server(PSQL, { exitCode: 2, stderr: 'FATAL: the database system is starting up' }),
  );
  await t.throwsAsync(converge(postgresUserPresent, declared, starting, dryRun), {
    code: 'STATE_REFUSED',
  });
  t.is(
    starting.slept.reduce((sum, time) => sum + time, 0),
    60_000,
  );
  const refused = fakeHost(
    server(PSQL, { exitCode: 2, stderr: 'FATAL: role "postgres" does not exist' }),
  );
  await t.throwsAsync(converge(postgresUserPresent, declared, refused, dryRun), {
    code: 'COMMAND_FAILED',
    message: /role "postgres" does not exist/,
  });
  t.deepEqual(refused.slept, []);
});

test('a server that is not installed yet is a failure with words, for plans to wait for', async (t) => {
  const none = { exitCode: 127 };
  await t.throwsAsync(
    converge(postgresUserPresent, declared, fakeHost(server(PSQL, none)), dryRun),
    {
      code: 'COMMAND_FAILED',
      message: 'Cannot ask PostgreSQL: there is no program "psql" on this host',
    },
  );
  const guest = { name: 'guest', unix_socket: true };
  await t.throwsAsync(converge(mysqlUserPresent, guest, fakeHost(server(MYSQL, none)), dryRun), {
    code: 'COMMAND_FAILED',
    message: /^Cannot ask MySQL: there is no program/,
  });
});

const DATABASE = {
  owner: 'postgres',
  encoding: 'UTF8',
  lc_collate: 'he_IL.utf8',
  lc_ctype: 'C',
  tablespace: 'pg_default',
};

test('a database is compared whatever the spelling of its encoding and locale', async (t) => {
  const host = fakeHost(server(PSQL, JSON.stringify({ shop: DATABASE })));
  const same = { name: 'shop', encoding: 'utf-8', lc_collate: 'he_IL.UTF-8' };
  t.deepEqual(await converge(postgresDatabasePresent, same, host, forReal), {
    status: 'unchanged',
  });
  t.deepEqual(
    await converge(postgresDatabasePresent, { name: 'shop', ...DATABASE }, host, forReal),
    {
      status: 'unchanged',
    },
  );
});

test('a database of another encoding is refused, never made anew', async (t) => {
  const host = fakeHost(server(PSQL, JSON.stringify({ shop: DATABASE })));
  await t.throwsAsync(
    converge(postgresDatabasePresent, { name: 'shop', encoding: 'LATIN1' }, host, forReal),
    {
      code: 'STATE_REFUSED',
      message:
        'Cannot change the encoding of database "shop": it is "UTF8", fixed when the database was made',
    },
  );
  t.deepEqual(host.ran, []);
});

test('a database with a locale of its own is copied from template0', async (t) => {
  const host = fakeHost(server(PSQL, '{}'), server(PSQL, JSON.stringify({ shop: DATABASE })));
  await converge(postgresDatabasePresent, { name: 'shop', lc_ctype: 'C' }, host, forReal);
  t.regex(told(host), /\\set template 'template0'/);
  t.regex(told(host), /^CREATE DATABASE :"name" TEMPLATE :"template" LC_CTYPE :'lc_ctype';$/m);
});

function parsePrivileges(privileges: unknown) {
  const object = { name: 'a', object_name: 'b', object_type: 'database' };
  return postgresPrivilegesPresent.schema.safeParse({ ...object, privileges });
}

test('an object can have only the privileges that its kind has', (t) => {
  t.like(parsePrivileges('temp, connect').data, { privileges: ['CONNECT', 'TEMPORARY'] });
  t.like(parsePrivileges(['all']).data, { privileges: ['CONNECT', 'CREATE', 'TEMPORARY'] });
  t.is(
    parsePrivileges(['SELECT']).error?.issues[0]?.message,
    'a database has no privilege "SELECT", only CONNECT, CREATE, TEMPORARY',
  );
});

test('privileges on every table of a schema are those on each of them', async (t) => {
  const acls = { orders: { shop: ['SELECT*', 'INSERT'] }, items: { shop: ['SELECT'] } };
  const sees = (declared: object) =>
    converge(
      postgresPrivilegesPresent,
      { name: 'shop', object_name: 'ALL', object_type: 'table', ...declared },
      fakeHost(server(PSQL, JSON.stringify(acls))),
      dryRun,
    );
  t.is((await sees({ privileges: ['SELECT'] })).status, 'unchanged');
  t.is((await sees({ privileges: ['SELECT'], grant_option: true })).status, 'would-change');
  t.like(await sees({ privileges: ['INSERT', 'SELECT'] }), {
    change: { action: 'update', from: { privileges: ['SELECT'] } },
  });
});

test('a function is told by the types of its arguments, however they are written', (t) => {
  t.deepEqual(signatureOf('total (int, varchar[],Timestamptz)'), {
    name: 'total',
    types: 'integer, character varying[], timestamp with time zone',
  });
  t.deepEqual(signatureOf('now()'), { name: 'now', types: '' });
  t.is(signatureOf('total'), null);
  t.is(signatureOf(`f(int); DROP TABLE a`), null);
  t.is(signatureOf(`f(int'; DROP)`), null);
});

test('a password among the options of a rule is secret, and a comma in one is no end of it', (t) => {
  const options = ['ldapserver=ldap.example.org', 'ldapbindpasswd=plain=1', 'ldapbasedn=dc=a,dc=b'];
  const given = { name: 'a', address: 'all', method: 'ldap', options };
  const args = postgresHbaRule.schema.parse(given);
  t.like(args, {
    options: { ldapserver: 'ldap.example.org', ldapbindpasswd: 'plain=1', ldapbasedn: 'dc=a,dc=b' },
  });
  t.true(
    ['ldapbindpasswd', 'radiussecrets'].every((one) => secretNamesOf(postgresHbaRule).has(one)),
  );
  const rule = { name: 'a', order: 1, type: 'host', database: ['all'], role: ['all'] };
  const whole = { ...rule, address: 'all', method: 'ldap', options };
  const written = writeHba({ rules: new Map([['a', whole]]), others: [] });
  t.regex(written, /\t"ldapbasedn=dc=a,dc=b"\t#/u);
  t.deepEqual(parseHba(written).rules.get('a')?.options, options);
});

test('rules of pg_hba.conf are read as they are written, and others are left alone', (t) => {
  const text = '# TYPE  DATABASE\nlocal all postgres peer\nhost a b 10.0.0.0/8 md5 # conductor\n';
  const rule = {
    name: "the shop's",
    order: 20,
    type: 'hostssl',
    database: ['shop', 'my "own"', 'a b'],
    role: ['+team'],
    address: '10.0.0.0/8',
    method: 'cert',
    options: ['map=x'],
  };
  const local = { ...rule, name: 'b', type: 'local', address: null, order: 10, options: [] };
  const file = parseHba(text);
  t.is(file.rules.size, 0);
  const written = writeHba({
    ...file,
    rules: new Map([rule, local].map((one) => [one.name, one])),
  });
  t.is(written.split('\n')[0], 'local\tshop,"my ""own""","a b"\t+team\tcert\t# conductor 10 b');
  t.true(written.endsWith(text));
  t.deepEqual(parseHba(written).rules.get(rule.name), rule);
  t.deepEqual(parseHba(written).rules.get('b'), local);
  t.is(parseHba(written.replace('local', '#local')).rules.size, 1);
  t.is(writeHba({ ...parseHba(written), rules: new Map() }), text);
});

function remotePsql(role: string): string {
  const local = PSQL.replace('--no-password', '--password');
  return local.replace(' --dbname', ` --host=db --username=${role} --dbname`);
}

test('redis keeps what is not declared, and a declared directive has exactly its lines', (t) => {
  const text = '# Kept\nport 6379\nsave 900 1\nsave 300 10\nrename-command FLUSHALL ""\n';
  const settings = new Map([
    ['save', ['60 1']],
    ['port', []],
    ['maxmemory', ['1gb']],
  ]);
  const written = withSettings(text, settings);
  t.is(written, '# Kept\nsave 60 1\nrename-command FLUSHALL ""\nmaxmemory 1gb\n');
  t.is(withSettings(written, settings), written);
  t.deepEqual(valuesOf(text, 'save'), ['900 1', '300 10']);
  t.is(quoted('a b"c'), String.raw`"a b\"c"`);
  t.is(quoted('plain'), 'plain');
});

test('a password for a server is the first line of its client, never an argument', async (t) => {
  const remote = { db_host: 'db', db_user: 'chief', db_password: 'word for the chief' };
  const host = fakeHost(server(remotePsql('chief'), roles({})));
  const guest = { name: 'guest', password: PASSWORD, ...remote };
  t.is((await converge(postgresUserPresent, guest, host, dryRun)).status, 'would-change');
  const [asked] = host.queries;
  t.true(String(asked?.options.input).startsWith('word for the chief\n\\set VERBOSITY terse\n'));
  t.is(asked?.options.user, undefined);
  t.false(JSON.stringify([asked?.argv, asked?.options.env]).includes('word for'));
});

test('a server that hides what it keeps of passwords is tried with the password', async (t) => {
  const seen = roles({ guest: { ...ROLE, verifier: null } }, false);
  const guest = {
    name: 'guest',
    password: PASSWORD,
    db_host: 'db',
    db_user: 'chief',
    db_password: 'x',
  };
  const sees = (answer: Answer, declared: object = guest) => {
    const commands = { [remotePsql('chief')]: seen, [remotePsql('guest')]: answer };
    return converge(postgresUserPresent, declared, fakeHost({ commands }), dryRun);
  };
  const wrong = { exitCode: 2, stderr: 'FATAL: password authentication failed for user "guest"' };
  t.is((await sees('1')).status, 'unchanged');
  t.is((await sees(wrong)).status, 'would-change');
  t.is((await sees(wrong, { ...guest, refresh_password: false })).status, 'unchanged');
  const shut = { exitCode: 2, stderr: 'FATAL: no pg_hba.conf entry for host' };
  await t.throwsAsync(sees(shut), { code: 'STATE_REFUSED', message: /nor lets it be tried/ });
});

const says = async () => ({ exitCode: 1, stdout: '', stderr: 'packet', raw: new Uint8Array() });

test('a server that hangs is waited for once; later it is only asked whether it is there again', async (t) => {
  const asked: number[] = [];
  let hangs = true;
  const ask = (word: string) => async (timeoutMs: number) => {
    asked.push(timeoutMs);
    if (hangs) throw new ConductorError('COMMAND_TIMEOUT', 'Cannot finish');
    return { exitCode: 0, stdout: word, stderr: '', raw: new Uint8Array() };
  };
  const host = fakeHost();
  const server = { title: 'MySQL', key: 'here', isSilence: /packet/u, connectMs: 10_000 };
  const attempt = () => askPatiently(host, server, ask('answer'), ask('probe'));
  const refused = { code: 'STATE_REFUSED', message: /MySQL: the server does not answer/u };
  await t.throwsAsync(attempt(), refused);
  await t.throwsAsync(attempt(), refused);
  hangs = false;
  t.is((await attempt()).stdout, 'answer');
  await attempt();
  t.deepEqual(asked, [60_000, 2000, 2000, 60_000, 60_000]);
  await t.throwsAsync(askPatiently(host, server, says, says), refused);
});

test('texts, names and accounts are quoted for MySQL', (t) => {
  t.is(literal(`a'b\\c\nd`), `'a''b\\\\c\\nd'`);
  t.is(identifier('a`b'), '`a``b`');
  t.is(account('shop', '10.0.%'), `'shop'@'10.0.%'`);
  t.is(nativeHash('mypass'), '*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4');
});

test('the lines of SHOW GRANTS are taken apart', (t) => {
  const lines = [
    "GRANT USAGE ON *.* TO `shop`@`localhost` IDENTIFIED BY PASSWORD '*6C89'",
    'GRANT SELECT, INSERT (`b`, `a`) ON `my\\_shop`.* TO `shop`@`localhost` WITH GRANT OPTION',
    'GRANT ALL PRIVILEGES ON `a``b`.`t` TO `shop`@`localhost`',
    'GRANT EXECUTE ON FUNCTION `shop`.`f` TO `shop`@`localhost`',
    'GRANT `role` TO `shop`@`localhost`',
  ];
  t.deepEqual(parseGrants(lines), [
    { privileges: ['USAGE'], object: '*.*', grantOption: false },
    { privileges: ['INSERT (a, b)', 'SELECT'], object: 'my\\_shop.*', grantOption: true },
    { privileges: ['ALL PRIVILEGES'], object: 'a`b.t', grantOption: false },
  ]);
  t.deepEqual(splitPrivileges('update (b,a), all,  create   view'), [
    'ALL PRIVILEGES',
    'CREATE VIEW',
    'UPDATE (a, b)',
  ]);
});

const USERS = [
  { name: 'shop', host: 'localhost', plugin: 'mysql_native_password', hash: nativeHash('old') },
];
const rows = (users: readonly unknown[]): string =>
  users.map((user) => `${JSON.stringify(user)}\n`).join('');

test('an account gets only the hash of its password', async (t) => {
  const changed = rows([{ ...USERS[0], hash: nativeHash(PASSWORD) }]);
  const host = fakeHost(server(MYSQL, rows(USERS)), server(MYSQL, changed));
  const { status } = await converge(
    mysqlUserPresent,
    { name: 'shop', password: PASSWORD },
    host,
    forReal,
  );
  t.is(status, 'changed');
  t.true(
    told(host).includes(
      `ALTER USER 'shop'@'localhost' IDENTIFIED WITH mysql_native_password AS '${nativeHash(PASSWORD)}'`,
    ),
  );
  t.false(JSON.stringify([host.calls, host.queries]).includes(PASSWORD));
});

test('a server that refuses a statement is told without what it would have kept of a password', async (t) => {
  const hash = nativeHash(PASSWORD);
  const line = '-'.repeat(14);
  const output = `${line}\nCREATE USER shop IDENTIFIED WITH x AS '${hash}'\n${line}\n\nERROR 1227 (42000): Access denied`;
  const refused = new ConductorError('COMMAND_FAILED', 'Cannot run "mysql"', { output });
  const host = { ...fakeHost(server(MYSQL, '')), run: () => Promise.reject(refused) };
  const told = await t.throwsAsync(tellMysql(host, { connection_charset: 'utf8mb4' }, ['x']), {
    instanceOf: ConductorError,
  });
  t.deepEqual(told.details, { output: '\nERROR 1227 (42000): Access denied' });
});

function acceptsWays(ways: object): boolean {
  return mysqlUserPresent.schema.safeParse({ name: 'a', ...ways }).success;
}

test('an account must say in exactly one way how it is let in', (t) => {
  t.false(acceptsWays({}));
  t.false(acceptsWays({ password: 'x', unix_socket: true }));
  t.false(acceptsWays({ allow_passwordless: false }));
  t.true(acceptsWays({ password: 'x', unix_socket: false }));
  t.true(acceptsWays({ password_hash: nativeHash('x') }));
});

test('a grant to nobody makes no account as a side effect', async (t) => {
  const refused = {
    exitCode: 1,
    stderr: 'ERROR 1141 (42000) at line 3: There is no such grant defined',
  };
  const host = fakeHost(server(MYSQL, refused));
  const grant = { name: 'g', grant: 'select', database: 'a_b.*', user: 'x' };
  for (const options of [dryRun, forReal]) {
    await t.throwsAsync(converge(mysqlGrantsPresent, grant, host, options), {
      code: 'STATE_REFUSED',
      message: 'Cannot give privileges to "x"@"localhost": there is no such account',
    });
  }
  t.deepEqual(host.ran, []);
  const dropped = fakeHost(server(MYSQL, 'GRANT USAGE ON *.* TO `x`@`localhost`\n'));
  await t.throwsAsync(converge(mysqlGrantsPresent, grant, dropped, forReal));
  t.true(
    told(dropped).includes("/*M! SET SESSION sql_mode='NO_AUTO_CREATE_USER' */;\nGRANT SELECT"),
  );
});

test('grants are at least those asked for, exactly those with revoke_first', async (t) => {
  const held = server(MYSQL, 'GRANT DELETE, SELECT ON `a\\_b`.* TO `x`@`localhost`\n');
  const asked = { name: 'g', grant: 'select', database: 'a_b.*', user: 'x' };
  t.deepEqual(await converge(mysqlGrantsPresent, asked, fakeHost(held), forReal), {
    status: 'unchanged',
  });
  const host = fakeHost(held, server(MYSQL, 'GRANT SELECT ON `a\\_b`.* TO `x`@`localhost`\n'));
  await converge(mysqlGrantsPresent, { ...asked, revoke_first: true }, host, forReal);
  t.regex(
    told(host),
    /^REVOKE DELETE ON `a\\_b`\.\* FROM 'x'@'localhost';\nGRANT SELECT ON `a\\_b`\.\* TO/m,
  );
  const all = server(MYSQL, 'GRANT ALL PRIVILEGES ON `a\\_b`.* TO `x`@`localhost`\n');
  t.deepEqual(await converge(mysqlGrantsPresent, asked, fakeHost(all), forReal), {
    status: 'unchanged',
  });
  t.is((await converge(mysqlGrantsAbsent, asked, fakeHost(all), dryRun)).status, 'would-change');
  const wild = server(MYSQL, 'GRANT SELECT ON `a_b`.* TO `x`@`localhost`\n');
  t.is((await converge(mysqlGrantsPresent, asked, fakeHost(wild), dryRun)).status, 'would-change');
  t.is(
    (await converge(mysqlGrantsPresent, { ...asked, escape: false }, fakeHost(wild), dryRun))
      .status,
    'unchanged',
  );
});

test('a MySQL database is altered only in what differs', async (t) => {
  const now = JSON.stringify({
    name: 'shop',
    character_set: 'utf8mb4',
    collate: 'utf8mb4_general_ci',
  });
  const then = JSON.stringify({ name: 'shop', character_set: 'utf8mb4', collate: 'utf8mb4_bin' });
  const host = fakeHost(server(MYSQL, now), server(MYSQL, then));
  await converge(
    mysqlDatabasePresent,
    { name: 'shop', character_set: 'UTF8MB4', collate: 'utf8mb4_bin' },
    host,
    forReal,
  );
  t.regex(told(host), /^ALTER DATABASE `shop` COLLATE utf8mb4_bin;$/m);
});

test('the old name of a character set is the set that the server tells', async (t) => {
  const old = { name: 'shop', character_set: 'utf8', collate: 'utf8_bin' };
  const told = { name: 'shop', character_set: 'utf8mb3', collate: 'utf8mb3_bin' };
  for (const row of [old, told]) {
    const host = fakeHost(server(MYSQL, JSON.stringify(row)));
    t.deepEqual(await converge(mysqlDatabasePresent, old, host, dryRun), { status: 'unchanged' });
  }
});

function grantOf(grant: string, database = 'shop.*') {
  return mysqlGrantsPresent.schema.safeParse({ grant, database, user: 'dev' });
}

test('what no server grants is refused, and what ALL holds is not asked for twice', (t) => {
  t.like(grantOf('select, ALL'), { data: { grant: ['ALL PRIVILEGES'] } });
  t.regex(String(grantOf('USAGE').error), /every account has it/);
  t.regex(String(grantOf('GRANT OPTION').error), /grant_option/);
  t.regex(String(grantOf('SELECT', '*.orders').error), /table of every database/);
});

test('a name that a server would cut short is refused, by its bytes', (t) => {
  const names = ['a'.repeat(63), 'a'.repeat(64), 'é'.repeat(31), 'é'.repeat(32)];
  const taken = names.filter((name) => postgresDatabasePresent.schema.safeParse({ name }).success);
  t.deepEqual(taken, ['a'.repeat(63), 'é'.repeat(31)]);
});

test('a database named like an address leads to no other server', async (t) => {
  const name = String.raw`host=evil p'w\x`;
  const argv = PSQL.replace('=postgres', String.raw`=dbname='host=evil p\'w\\x'`);
  const host = fakeHost(server(argv, roles({})));
  const args = { name: 'shop', maintenance_db: name };
  t.like(await converge(postgresUserPresent, args, host, dryRun), { status: 'would-change' });
});

test('the encoding of a database is told by the names that people know it by', async (t) => {
  const spellings = { SQL_ASCII: 'SQL_ASCII', 'windows-1252': 'WIN1252', 'iso-8859-1': 'LATIN1' };
  for (const [encoding, kept] of Object.entries(spellings)) {
    const database = { ...DATABASE, encoding: kept };
    const host = fakeHost(server(PSQL, JSON.stringify({ shop: database })));
    const args = { name: 'shop', encoding };
    t.deepEqual(await converge(postgresDatabasePresent, args, host, dryRun), {
      status: 'unchanged',
    });
  }
});

test('a role gets its groups with all else or not at all', async (t) => {
  const host = fakeHost(before, after);
  await converge(postgresUserPresent, declared, host, forReal);
  t.regex(told(host), /\nBEGIN;\nALTER ROLE [^\n]+;\n[^]*GRANT [^\n]+;\n[^]*COMMIT;\n$/);
});

test('what a database needs and what it is', (t) => {
  const args = postgresDatabasePresent.schema.parse({ name: 'shop', owner: 'dev' });
  t.deepEqual(postgresDatabasePresent.provides?.(args), ['postgres-database:shop']);
  t.true(postgresDatabasePresent.needs?.(args).includes('postgres-role:dev'));
  const grant = mysqlGrantsPresent.schema.parse({ grant: 'ALL', database: 'shop.*', user: 'dev' });
  t.true(mysqlGrantsPresent.needs?.(grant).includes('mysql-user:dev@localhost'));
  t.true(mysqlGrantsPresent.needs?.(grant).includes('mysql-database:shop'));
});
