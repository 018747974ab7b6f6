import { createHash } from 'node:crypto';
import test from 'ava';
import { ConductorError } from '../../../shared/errors.ts';
import { z } from 'zod';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { groupPresent } from '../../../minion/state-types/accounts/group.ts';
import { dateOfDays, parseShadow } from '../../../minion/state-types/accounts/lib/shadow.ts';
import { userAbsent, userPresent } from '../../../minion/state-types/accounts/user.ts';
import {
  isKeyOfType,
  parseKeyLine,
} from '../../../minion/state-types/accounts/lib/authorized-keys.ts';
import { sshAuthAbsent, sshAuthPresent } from '../../../minion/state-types/accounts/ssh-auth.ts';
import { sshAuthManage } from '../../../minion/state-types/accounts/ssh-auth-manage.ts';
import {
  hasFingerprint,
  hashedName,
  hostLabel,
  isNamed,
  parseFingerprint,
  showFingerprint,
  withoutName,
} from '../../../minion/state-types/accounts/lib/known-hosts.ts';
import { ruleText } from '../../../minion/state-types/accounts/lib/sudoers.ts';
import { sudoRule } from '../../../minion/state-types/accounts/sudo.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';

const HASH = '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2';
const HOST = {
  accounts: { bob: { gecos: 'Bob,1,2,3,and, more', shell: '/bin/bash' } },
  groups: { bob: {}, adm: { gid: 4, members: ['bob', 'ann'] }, ops: { gid: 5, members: ['ann'] } },
  files: { '/etc/shadow': `root:*:19000::::::\nbob:${HASH}:19000:0:90:7:5:22644:\n` },
  statuses: { '/home/bob': { kind: 'directory', uid: 1000 } },
} as const;

test('an account is read with its groups, its comment and its ages', async (t) => {
  const args = userPresent.schema.parse({ name: 'bob' });
  t.deepEqual(await userPresent.read(args, fakeHost(HOST)), {
    uid: 1000,
    gid: 'bob',
    groups: ['adm'],
    home: '/home/bob',
    createhome: true,
    shell: '/bin/bash',
    fullname: 'Bob',
    roomnumber: '1',
    workphone: '2',
    homephone: '3',
    other: 'and, more',
    password: HASH,
    empty_password: false,
    mindays: 0,
    maxdays: 90,
    warndays: 7,
    inactdays: 5,
    expire: '2031-12-31',
  });
});

test('declaring what was read of an account is unchanged', async (t) => {
  const host = fakeHost(HOST);
  const { empty_password: _, ...declared } =
    (await userPresent.read(userPresent.schema.parse({ name: 'bob' }), host)) ?? {};
  t.deepEqual(await converge(userPresent, { name: 'bob', ...declared }, host, forReal), {
    status: 'unchanged',
  });
  t.deepEqual(host.ran, []);
});

test('only what differs of an account is changed, and its comment as a whole', async (t) => {
  const host = fakeHost(HOST, {
    ...HOST,
    accounts: { bob: { gecos: 'Robert,1,2,3,and, more', shell: '/bin/sh' } },
  });
  const args = { name: 'bob', shell: '/bin/sh', fullname: 'Robert', home: '/home/bob' };
  await converge(userPresent, args, host, forReal);
  t.deepEqual(host.ran, ['usermod --shell /bin/sh --comment Robert,1,2,3,and, more bob']);
});

test('a password goes by standard input and never by the command line', async (t) => {
  const other = HASH.replace('saltsalt', 'pepper');
  const shadow = HOST.files['/etc/shadow'].replace(HASH, other);
  const host = fakeHost(HOST, { ...HOST, files: { '/etc/shadow': shadow } });
  await converge(userPresent, { name: 'bob', password: other }, host, forReal);
  t.deepEqual(host.ran, ['chpasswd --encrypted']);
  t.is(host.calls[0]?.options.input, `bob:${other}\n`);
});

function isPassword(password: string): boolean {
  return userPresent.schema.safeParse({ name: 'bob', password }).success;
}

test('a password is given as a hash', (t) => {
  for (const hash of [HASH, `!${HASH}`, '!', '*', '!!', 'abcdefghijklm', '$y$j9T$a$b'])
    t.true(isPassword(hash));
  for (const plain of ['hunter2', '', `${HASH}:0`, `${HASH}\nroot:x`]) t.false(isPassword(plain));
});

test('a new uid of a user that exists is refused, in a dry run too', async (t) => {
  await t.throwsAsync(converge(userPresent, { name: 'bob', uid: 7 }, fakeHost(HOST), dryRun), {
    code: 'STATE_REFUSED',
    message: /^Cannot change the uid of user "bob": it is 1000 and not 7, /,
  });
  const allowed = { name: 'bob', uid: 7, allow_uid_change: true };
  const running = (processes: string) =>
    fakeHost({ ...HOST, commands: { [PROCESSES]: processes } });
  t.like(await converge(userPresent, allowed, running(''), dryRun), { status: 'would-change' });
  await t.throwsAsync(converge(userPresent, allowed, running('  812 sleep\n'), dryRun), {
    message: 'Cannot change user "bob": processes of it run, such as 812 sleep',
  });
  await t.throwsAsync(converge(userAbsent, { name: 'bob' }, running('  812 sleep\n'), dryRun), {
    message:
      'Cannot remove user "bob": processes of it run, such as 812 sleep (force: true removes it all the same)',
  });
});

test('a home where something else stands is refused, of a new user and of one that is there', async (t) => {
  const files = { ...HOST.files, '/srv/file': '', '/home/eve': '' };
  const host = fakeHost({ ...HOST, files, commands: { [PROCESSES]: '' }, statuses: {} });
  for (const name of ['eve', 'bob']) {
    const message = `Cannot make "/srv/file" the home of user "${name}": a file stands there`;
    const args = { name, home: '/srv/file' };
    await t.throwsAsync(converge(userPresent, args, host, dryRun), { message });
  }
  await t.throwsAsync(converge(userPresent, { name: 'eve' }, host, dryRun), {
    message: 'Cannot make "/home/eve" the home of user "eve": a file stands there',
  });
});

const PROCESSES = 'ps --no-headers -o pid=,comm= -U 1000 -u 1000';

test('a plan names the group or user that an account lacks, for earlier states to bring', async (t) => {
  const lacking = async (type: StateType, args: object): Promise<unknown> => {
    const error = await t.throwsAsync(converge(type, args, fakeHost(HOST), dryRun));
    return error instanceof ConductorError ? error.details['lacks'] : error;
  };
  t.deepEqual(await lacking(userPresent, { name: 'eve', gid: 'nowhere' }), ['group:nowhere']);
  t.deepEqual(await lacking(userPresent, { name: 'bob', groups: ['nowhere'] }), ['group:nowhere']);
  t.deepEqual(await lacking(groupPresent, { name: 'adm', members: ['eve'] }), ['user:eve']);
  const moved = await lacking(userPresent, { name: 'bob', gid: 4 });
  t.deepEqual(moved, ['group:bob', 'group:adm']);
});

/** What a dry run says of one attribute that would change; `null` if it would not. */
async function plannedFor(type: StateType, args: object, attribute: string): Promise<unknown> {
  const host = fakeHost({ ...HOST, accounts: { ...HOST.accounts, ann: {}, zoe: {} } });
  const planned = await converge(type, args, host, dryRun);
  const isWanted = 'change' in planned && planned.change !== null;
  return isWanted && planned.change.action !== 'remove' ? planned.change.to[attribute] : null;
}

async function groupsFor(args: object): Promise<unknown> {
  return plannedFor(userPresent, { name: 'bob', ...args }, 'groups');
}

async function membersFor(args: object): Promise<unknown> {
  return plannedFor(groupPresent, { name: 'adm', ...args }, 'members');
}

test('groups are exactly those that are listed, and optional ones where they exist', async (t) => {
  t.deepEqual(await groupsFor({ groups: ['ops'] }), ['ops']);
  t.deepEqual(await groupsFor({ groups: ['ops'], remove_groups: false }), ['adm', 'ops']);
  t.deepEqual(await groupsFor({ optional_groups: ['ops', 'nowhere'] }), ['ops']);
  t.is(await groupsFor({ groups: ['adm', 'bob'] }), null);
  t.deepEqual(await groupsFor({ groups: [] }), []);
});

test('a group of the name of a new user becomes its primary group', async (t) => {
  const host = fakeHost({ groups: { ann: {} } }, { groups: { ann: {} }, accounts: { ann: {} } });
  await converge(userPresent, { name: 'ann', createhome: false, system: true }, host, forReal);
  t.deepEqual(host.ran, ['useradd --gid ann --system --no-create-home ann']);
});

test('a user that is there is removed as asked', async (t) => {
  const host = fakeHost(HOST, {});
  await converge(userAbsent, { name: 'bob', purge: true, force: true }, host, forReal);
  t.deepEqual(host.ran, ['userdel --remove --force bob']);
  t.deepEqual(await converge(userAbsent, { name: 'bob' }, host, forReal), { status: 'unchanged' });
});

test('shadow entries without limits have none', (t) => {
  t.deepEqual(parseShadow('a:!:1::::::\n').get('a'), {
    password: '!',
    mindays: null,
    maxdays: null,
    warndays: null,
    inactdays: null,
    expires: null,
  });
  t.is(dateOfDays(null), 'never');
  t.is(dateOfDays(0), '1970-01-01');
});

test('members of a group are set as a whole, or added and taken away', async (t) => {
  t.deepEqual(await membersFor({ members: ['zoe', 'ann', 'ann'] }), ['ann', 'zoe']);
  t.deepEqual(await membersFor({ addusers: ['zoe'], delusers: ['bob'] }), ['ann', 'zoe']);
  t.is(await membersFor({ members: ['bob', 'ann'] }), null);
  t.is(await membersFor({ delusers: ['zoe'] }), null);
  t.false(groupPresent.schema.safeParse({ name: 'adm', members: [], addusers: [] }).success);
});

const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIJvZ1Xn2cYKpQyQWmY4rTtqYx7mGdYwQ3m1b7f0q3o9a';
const KEYS = '/home/bob/.ssh/authorized_keys';

test('lines of authorized keys are read with options that hold spaces, quotes and commas', (t) => {
  t.deepEqual(parseKeyLine(`command="echo \\"a, b\\"",no-pty ssh-ed25519 ${KEY} bob at home`), {
    enc: 'ssh-ed25519',
    key: KEY,
    options: [String.raw`command="echo \"a, b\""`, 'no-pty'],
    comment: 'bob at home',
  });
  for (const line of ['', '# ssh-ed25519', `ssh-rsa ${KEY}`, 'ssh-ed25519 nonsense'])
    t.is(parseKeyLine(line), null, line);
  t.false(isKeyOfType('AAAA', 'ssh-rsa'));
});

test('a key is added below the lines of others, which stay as they are', async (t) => {
  const before = '# mine \r\n\nssh-rsa broken\n';
  const host = fakeHost({
    ...HOST,
    files: { ...HOST.files, [KEYS]: before },
    statuses: { ...HOST.statuses, '/home/bob/.ssh': { kind: 'directory' } },
  });
  const args = { name: `ssh-ed25519 ${KEY} ann`, user: 'bob' };
  await converge(sshAuthPresent, args, host, forReal);
  t.is(host.text(KEYS), `${before}ssh-ed25519 ${KEY} ann\n`);
  t.like(await host.status(KEYS), { mode: '0600', user: 'bob', group: 'bob' });
  await converge(sshAuthAbsent, { name: KEY, enc: 'ssh-ed25519', user: 'bob' }, host, forReal);
  t.is(host.text(KEYS), before);
});

function isKey(args: object): boolean {
  return sshAuthPresent.schema.safeParse({ user: 'bob', ...args }).success;
}

test('what is no public key is refused before any host is touched', (t) => {
  t.false(isKey({ name: '-----BEGIN OPENSSH PRIVATE KEY-----' }));
  t.false(isKey({ name: KEY }));
  t.false(isKey({ name: `ssh-ed25519 ${KEY}`, enc: 'ssh-rsa' }));
  t.true(isKey({ name: KEY, enc: 'ssh-ed25519' }));
});

function ruleOf(args: object): string | undefined {
  const parsed = sudoRule.schema.safeParse({ name: 'rule', ...args });
  return parsed.success ? ruleText(grant.parse(parsed.data)) : undefined;
}

const grant = z.object({
  users: z.array(z.string()).exactOptional(),
  groups: z.array(z.string()).exactOptional(),
  commands: z.array(z.string()).exactOptional(),
  runas: z.string().exactOptional(),
  nopasswd: z.boolean().exactOptional(),
  contents: z.string().exactOptional(),
});

test('rules of sudo are made of who may run what, with nothing that sudoers would read otherwise', (t) => {
  t.is(
    ruleOf({ users: ['b', 'a'], commands: ['/bin/a -x=1,2:3', 'ALL'], nopasswd: true }),
    'a, b ALL=(ALL) NOPASSWD: /bin/a -x\\=1\\,2\\:3, ALL\n',
  );
  t.is(ruleOf({ groups: ['adm'], commands: '/bin/a', runas: 'root' }), '%adm ALL=(root) /bin/a\n');
  t.is(ruleOf({ contents: 'x' }), 'x\n');
  t.is(ruleOf({ users: ['a'], contents: 'x' }), undefined);
  t.is(ruleOf({ users: ['a'], commands: ['/bin/a\nALL ALL=(ALL) ALL'] }), undefined);
  t.is(ruleOf({ users: ['a, ALL'], commands: ['/bin/a'] }), undefined);
});

test('names of known hosts are found among others and hashed, and taken out of lines with others', (t) => {
  const hashed = hashedName('[a.example]:22');
  t.true(isNamed(hashed, '[a.example]:22'));
  t.false(isNamed(hashed, 'a.example'));
  t.is(hostLabel('a', 22), 'a');
  t.is(hostLabel('a', 23), '[a]:23');
  t.deepEqual(withoutName('a,b ssh-rsa K remark', 'a'), ['b ssh-rsa K remark']);
  t.deepEqual(withoutName(`${hashed} ssh-rsa K`, '[a.example]:22'), []);
  t.deepEqual(withoutName('@revoked a ssh-rsa K', 'a'), ['@revoked a ssh-rsa K']);
  t.deepEqual(withoutName('*.a ssh-rsa K', 'a'), ['*.a ssh-rsa K']);
});

test('fingerprints are read in the forms that ssh-keygen and Salt have', (t) => {
  const sha256 = parseFingerprint(showFingerprint(KEY));
  t.is(sha256?.algorithm, 'sha256');
  t.true(sha256 !== null && hasFingerprint(KEY, sha256));
  const md5 = createHash('md5').update(Buffer.from(KEY, 'base64')).digest('hex');
  const colons = parseFingerprint(md5.match(/../gu)?.join(':') ?? '');
  t.true(colons !== null && hasFingerprint(KEY, colons));
  t.false(colons !== null && hasFingerprint(KEY.replace('IJvZ', 'IJvY'), colons));
  for (const text of ['', 'SHA256:x', 'aa:bb', md5.slice(2)]) t.is(parseFingerprint(text), null);
});

test('exactly these keys: remarks stay, and whatever sshd could read as a key goes', async (t) => {
  const before = `# mine\n\nsk-new@openssh.com AAAA\nssh-ed25519   ${KEY}  ann\n`;
  const host = fakeHost({
    ...HOST,
    files: { ...HOST.files, [KEYS]: before },
    statuses: { ...HOST.statuses, '/home/bob/.ssh': { kind: 'directory' } },
  });
  const args = { name: 'keys', user: 'bob', ssh_keys: [`ssh-ed25519 ${KEY} ann`] };
  await converge(sshAuthManage, args, host, forReal);
  t.is(host.text(KEYS), `# mine\n\nssh-ed25519   ${KEY}  ann\n`);
});
