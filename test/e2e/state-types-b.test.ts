import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import type { Fleet } from '../hosts/hosts.ts';
import { testOnHosts, testWithPackageIndex } from '../hosts/on-hosts.ts';
import { statesOn } from './states-on-host.ts';
import type { States } from './states-on-host.ts';

/** Code, databases, processes and sites, with the real programs on a real Debian host. */
const onHosts = await testOnHosts(test);
const withIndex = await testWithPackageIndex(test, onHosts, 'circus');
let fleet: Fleet | undefined;
let host: Host;
let states: States;

type Args = Readonly<Record<string, unknown>>;
/** A command that disturbs a state, and the attributes in which it then differs. */
type Disturbance = readonly [script: string, ...differs: string[]];

test.after.always(async () => {
  await fleet?.close();
});

onHosts('a Debian host with everything that these states manage', async (t) => {
  fleet = await openFleet();
  host = await fleet.boot({ name: 'proof', image: 'full' });
  states = await statesOn(host, { shop: 20_001 });
  await shell('useradd --create-home dev && mkdir /srv/projects');
  t.is(await shell('systemctl is-active nginx postgresql mariadb supervisor | sort -u'), 'active');
});

async function shell(script: string, input = ''): Promise<string> {
  const { stdout } = await host.exec(['bash', '-euc', script], { input, timeoutMs: 300_000 });
  return stdout.trim();
}

/** Planned, applied as planned, unchanged; then disturbed, named, repaired, unchanged. */
async function proves(
  t: ExecutionContext,
  type: string,
  args: Args,
  disturbances: readonly Disturbance[] = [],
): Promise<void> {
  await converges(t, type, args);
  for (const [script, ...differs] of disturbances) {
    await shell(script);
    const change = await converges(t, type, args);
    t.deepEqual(Object.keys(change.to).toSorted(), differs.toSorted(), `${type} after ${script}`);
  }
}

async function converges(
  t: ExecutionContext,
  type: string,
  args: Args,
): Promise<{ action: string; to: Args }> {
  const steps = ['plan', 'apply', 'plan', 'apply'] as const;
  const [planned, applied, ...after] = await states.take(type, args, steps);
  t.like(planned, { status: 'would-change' }, JSON.stringify(planned));
  t.like(applied, { status: 'changed' }, JSON.stringify(applied));
  if (planned?.status !== 'would-change' || applied?.status !== 'changed') throw new Error(type);
  t.deepEqual(planned.change, applied.change, `the plan of ${type} is what was done`);
  t.deepEqual(after, [{ status: 'unchanged' }, { status: 'unchanged' }]);
  if (applied.change === null) throw new Error(`${type} only reacted`);
  return applied.change;
}

async function fails(
  t: ExecutionContext,
  type: string,
  args: Args,
  { code, words }: { code: string; words: RegExp },
): Promise<void> {
  const answer = await states.apply(type, args);
  t.like(answer, { status: 'failed', code }, JSON.stringify(answer));
  if (answer.status === 'failed') t.regex(answer.message, words);
}

const SECRET = `pä's\\ "word" 9`;

onHosts('PostgreSQL roles, databases and privileges', async (t) => {
  await proves(t, 'postgres_user.present', { name: 'team', login: false });
  const role = {
    name: 'shop',
    password: SECRET,
    createdb: true,
    groups: ['team'],
    connection_limit: 5,
    valid_until: '2035-01-02',
  };
  await proves(t, 'postgres_user.present', role, [
    [psql("ALTER ROLE shop PASSWORD 'x'"), 'password_works'],
    [psql('ALTER ROLE shop NOCREATEDB NOLOGIN'), 'createdb', 'login'],
    [psql('REVOKE team FROM shop'), 'groups'],
    [
      psql("ALTER ROLE shop VALID UNTIL 'infinity' CONNECTION LIMIT 9"),
      'connection_limit',
      'valid_until',
    ],
  ]);
  const login = 'PGPASSWORD=$(cat) psql -h 127.0.0.1 -U shop -d postgres -tAc "SELECT 1"';
  t.is(await shell(login, SECRET), '1', 'the password really works');
  t.is(await shell('grep -rlF "word" /var/log/postgresql || true'), '', 'nor is it in a log');

  const database = {
    name: "the shop's",
    owner: 'shop',
    encoding: 'utf-8',
    lc_collate: 'C.utf8',
    lc_ctype: 'C.UTF-8',
  };
  await proves(t, 'postgres_database.present', database, [
    [psql('ALTER DATABASE "the shop\'s" OWNER TO team'), 'owner'],
  ]);
  await fails(
    t,
    'postgres_database.present',
    { ...database, encoding: 'LATIN1' },
    {
      code: 'STATE_REFUSED',
      words: /encoding of database "the shop's": it is "UTF8", fixed/u,
    },
  );
  const privileges = {
    name: 'team',
    object_name: "the shop's",
    object_type: 'database',
    privileges: ['CONNECT', 'CREATE'],
    grant_option: true,
  };
  await proves(t, 'postgres_privileges.present', privileges, [
    [psql('REVOKE GRANT OPTION FOR CONNECT ON DATABASE "the shop\'s" FROM team'), 'grant_option'],
    [psql('REVOKE CREATE ON DATABASE "the shop\'s" FROM team'), 'privileges'],
  ]);
  await proves(t, 'postgres_database.absent', { name: "the shop's" });
  await proves(t, 'postgres_user.absent', { name: 'shop' });
});

function psql(statement: string): string {
  return `runuser -u postgres -- psql -qc '${statement.replaceAll("'", `'\\''`)}'`;
}

onHosts('MariaDB accounts, databases and grants', async (t) => {
  await proves(t, 'mysql_user.present', { name: 'shop', password: SECRET }, [
    [`mariadb -e "SET PASSWORD FOR shop@localhost = PASSWORD('x')"`, 'password_works'],
    ['mariadb -e "ALTER USER shop@localhost IDENTIFIED VIA unix_socket"', 'password_works'],
  ]);
  t.is(await shell('MYSQL_PWD=$(cat) mariadb -ushop -Ne "SELECT 1"', SECRET), '1');
  await proves(t, 'mysql_user.present', { name: 'dev', unix_socket: true });
  t.is((await host.exec(['mariadb', '-Ne', 'SELECT 1'], { user: 'dev' })).stdout.trim(), '1');

  const database = { name: 'my_shop', character_set: 'utf8mb4', collate: 'utf8mb4_unicode_ci' };
  await proves(t, 'mysql_database.present', database, [
    ['mariadb -e "ALTER DATABASE my_shop COLLATE utf8mb4_general_ci"', 'collate'],
  ]);
  const grant = { database: 'my_shop.*', user: 'shop' };
  await proves(t, 'mysql_grants.present', { ...grant, grant: 'select, INSERT, UPDATE' }, [
    [String.raw`mariadb -e 'REVOKE INSERT ON ${'`'}my\_shop${'`'}.* FROM shop@localhost'`, 'grant'],
  ]);
  await proves(t, 'mysql_grants.present', { ...grant, grant: 'ALL PRIVILEGES' });
  await proves(t, 'mysql_grants.present', {
    ...grant,
    grant: ['SELECT'],
    revoke_first: true,
    grant_option: true,
  });
  await shell('mariadb -e "CREATE TABLE my_shop.orders (a INT, b INT)"');
  await proves(t, 'mysql_grants.present', {
    grant: 'SELECT (b, a)',
    database: 'my_shop.orders',
    user: 'shop',
  });
  await fails(
    t,
    'mysql_grants.present',
    { ...grant, grant: 'SELECT', user: 'nobody' },
    {
      code: 'COMMAND_FAILED',
      words: /Can't find any matching row/u,
    },
  );
  t.is(await shell('mariadb -Ne "SELECT User FROM mysql.user WHERE User = \'nobody\'"'), '');
  await proves(t, 'mysql_grants.absent', { ...grant, grant: 'SELECT' });
  await proves(t, 'mysql_user.absent', { name: 'shop' });
  await proves(t, 'mysql_database.absent', { name: 'my_shop' });
});

onHosts(
  'a database server that is down is a clear failure, and one that starts is waited for',
  async (t) => {
    const role = { name: 'team', login: false };
    await shell('systemctl stop postgresql mariadb');
    const down = { code: 'STATE_REFUSED', words: /the server is not up/u };
    await fails(t, 'postgres_user.present', role, down);
    await fails(t, 'mysql_user.present', { name: 'dev', unix_socket: true }, down);
    await shell('(sleep 1; systemctl start postgresql mariadb) >/dev/null 2>&1 &');
    t.like(await states.apply('postgres_user.present', role), { status: 'unchanged' });
    t.like(await states.apply('mysql_user.present', { name: 'dev', unix_socket: true }), {
      status: 'unchanged',
    });
  },
);

const UPSTREAM = `
  git init -q --bare -b main /srv/git/up.git && git init -q -b main /srv/git/work && cd /srv/git/work
  git config user.email a@b.example && git config user.name A && git remote add origin ../up.git
  echo 1 >a && echo 1 >other && git add . && git commit -qm one && git tag -a -m one v1
  git checkout -q -b feature/x && echo f >f && git add . && git commit -qm f && git checkout -q main
  git push -q origin --all && git push -q --tags && chmod -R a+rX /srv/git
  git config --system --add safe.directory '*'`;
const commit = (what: string): string =>
  `cd /srv/git/work && ${what} && git add . && git commit -qm next && git push -qf origin main && chmod -R a+rX /srv/git`;

onHosts(
  'a working copy follows its branch, and loses nothing by hand that it may not',
  async (t) => {
    await shell(`mkdir /srv/git && ${UPSTREAM}`);
    const code = { name: '/srv/git/up.git', target: '/srv/projects/shop/code', user: 'dev' };
    const { target } = code;
    await proves(t, 'git.latest', code, [
      [commit('echo 2 >a'), 'rev'],
      [`chown -R root: ${target}`, 'user'],
      [`cd ${target} && runuser -u dev git checkout -- --quiet --detach`, 'branch'],
      [`cd ${target} && runuser -u dev git remote -- set-url origin /nowhere`, 'name'],
      [`rm -rf ${target}`, 'rev', 'branch', 'name', 'user'],
    ]);
    t.is(await shell(`stat -c %U ${target} ${target}/a | sort -u`), 'dev');
    await proves(t, 'git.latest', { ...code, rev: 'v1' });
    await proves(t, 'git.latest', { ...code, rev: 'feature/x' });
    const main = { ...code, rev: 'main' };
    await proves(t, 'git.latest', main);

    await shell(`echo mine >${target}/a; ${commit('echo 3 >a')}`);
    await fails(t, 'git.latest', main, { code: 'STATE_REFUSED', words: /local changes in a/u });
    t.is(await shell(`cat ${target}/a`), 'mine');
    await proves(t, 'git.latest', { ...main, local_changes: 'discard' }, [
      [`echo mine >${target}/a`, 'local_changes'],
    ]);
    await shell(`echo mine >${target}/other; ${commit('echo 4 >a')}`);
    await proves(t, 'git.latest', { ...main, local_changes: 'keep' });
    t.is(await shell(`cat ${target}/a ${target}/other`), '4\nmine');

    await shell(
      `cd ${target} && runuser -u dev -- git -c user.name=D -c user.email=d@e.example commit -qam mine`,
    );
    await shell(commit('echo 5 >a'));
    await fails(t, 'git.latest', main, {
      code: 'STATE_REFUSED',
      words: /has commits that the remote does not/u,
    });
    await proves(t, 'git.latest', { ...main, force_reset: true });
    await shell(commit('git reset -q --hard v1 && echo rewritten >b'));
    await proves(t, 'git.latest', main);

    await fails(
      t,
      'git.latest',
      { ...main, rev: 'nope' },
      { code: 'SOURCE_MISSING', words: /no branch, tag or commit/u },
    );
    await shell('mkdir /srv/projects/precious && touch /srv/projects/precious/x');
    const precious = { name: '/srv/git/up.git', target: '/srv/projects/precious', depth: 1 };
    await fails(t, 'git.latest', precious, { code: 'STATE_REFUSED', words: /something is there/u });
    await proves(t, 'git.latest', { ...precious, force_clone: true });
  },
);

onHosts('submodules are at the commits that the working copy names', async (t) => {
  await shell(`
    git config --system protocol.file.allow always
    git init -q --bare -b main /srv/git/lib.git && git clone -q /srv/git/lib.git /srv/git/lib 2>/dev/null && cd /srv/git/lib
    git config user.email a@b.example && git config user.name A
    git checkout -q -b main && echo 1 >lib && git add . && git commit -qm 1 && git push -q origin main && chmod -R a+rX /srv/git`);
  await shell(commit('git submodule --quiet add -b main /srv/git/lib.git lib'));
  const target = '/srv/projects/modules';
  const code = { name: '/srv/git/up.git', target, user: 'dev', submodules: true };
  await proves(t, 'git.latest', code, [
    [`rm -rf ${target}/lib && mkdir ${target}/lib && chown dev: ${target}/lib`, 'submodules'],
    [
      `cd /srv/git/lib && echo 2 >lib && git commit -qam 2 && git push -q origin main && ${commit('git submodule --quiet update --remote')}`,
      'rev',
    ],
  ]);
  t.is(await shell(`cat ${target}/lib/lib`), '2');
});

/** A web server that gives a repository away only to who knows the password. */
const GUARDED = `
import base64, http.server, os
os.chdir("/srv/git")
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") == "Basic " + base64.b64encode(b"robot:s3cret/w@rd").decode():
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", 8181), Handler).serve_forever()
`;

onHosts('the password in the address of a repository stays out of the checkout', async (t) => {
  await host.write('/root/guarded.py', GUARDED);
  await shell(
    'git -C /srv/git/up.git update-server-info && systemd-run -q --unit=guarded python3 /root/guarded.py',
  );
  await shell(
    'for i in $(seq 50); do curl -s http://127.0.0.1:8181 >/dev/null && break; sleep 0.1; done',
  );
  const code = {
    name: 'http://robot:s3cret%2Fw%40rd@127.0.0.1:8181/up.git',
    target: '/srv/projects/guarded',
    user: 'dev',
  };
  await proves(t, 'git.latest', code);
  t.is(
    await shell(
      'grep -rlE "s3cret|robot" /srv/projects/guarded/.git /home/dev /tmp /run 2>/dev/null || true',
    ),
    '',
  );
  const wrong = {
    ...code,
    name: 'http://robot:wrong@127.0.0.1:8181/up.git',
    target: '/srv/projects/wrong',
  };
  const answer = await states.apply('git.latest', wrong);
  t.like(answer, { status: 'failed', code: 'COMMAND_FAILED' });
  t.false(JSON.stringify(answer).includes('wrong@'));
});

onHosts('the private key from the pillar is never on disk', async (t) => {
  await shell(
    'apt-get -qq install -y openssh-server >/dev/null && useradd -m -s /bin/bash gitd && ' +
      'ssh-keygen -q -t ed25519 -N "" -f /root/key && install -d -o gitd -m 700 /home/gitd/.ssh && ' +
      'install -o gitd -m 600 /root/key.pub /home/gitd/.ssh/authorized_keys && systemctl start ssh',
  );
  const identity = await shell('cat /root/key; rm /root/key');
  const code = {
    name: 'gitd@127.0.0.1:/srv/git/up.git',
    target: '/srv/projects/ssh',
    user: 'dev',
    identity,
  };
  await proves(t, 'git.latest', code);
  const [, line = ''] = identity.split('\n');
  t.is(
    await shell(`grep -rlF ${line} /srv /home /tmp /run /root /var/lib 2>/dev/null || true`),
    '',
  );
  const known = '/home/dev/.ssh/known_hosts';
  await shell(`ssh-keygen -F 127.0.0.1 -f ${known}`); // the fetch has learnt it
  await shell(
    `ssh-keygen -q -t ed25519 -N "" -f /root/other && { printf '127.0.0.1 '; cat /root/other.pub; } >${known}`,
  );
  await fails(t, 'git.latest', code, { code: 'COMMAND_FAILED', words: /gitd@127\.0\.0\.1/u });
});

/** A package of our own, so that nothing here hangs on a package index. */
async function makePackages(): Promise<void> {
  const files = {
    'setup.py':
      'from setuptools import setup\nimport sys\nname, version, *needs = open("what").read().split()\n' +
      'setup(name=name, version=version, py_modules=[name], install_requires=needs)\n',
  };
  await shell('mkdir -p /srv/wheels /root/build && chmod a+rX /srv/wheels');
  for (const [name, version, needs] of [
    ['proofbase', '1.0', ''],
    ['proofbase', '2.0', ''],
    ['proofapp', '1.0', 'proofbase<2'],
  ] as const) {
    await host.write('/root/build/setup.py', files['setup.py']);
    await host.write('/root/build/what', `${name} ${version} ${needs}`);
    await host.write(`/root/build/${name}.py`, `VERSION = "${version}"\n`);
    await shell(
      'cd /root/build && rm -rf build && python3 -m pip -q wheel --no-build-isolation --no-deps --no-index -w /srv/wheels . 2>&1',
    );
  }
}

onHosts('a virtual environment satisfies its requirements, all the way down', async (t) => {
  await shell('apt-get -qq install -y python3-setuptools python3-wheel >/dev/null');
  await makePackages();
  await host.write(
    '/srv/requirements.txt',
    '# the app\n-r more.txt\nnever-needed ; python_version < "3"\n',
  );
  await host.write('/srv/more.txt', 'ProofApp == 1.*   # in other letters\n');
  const bin = '/srv/environments/shop/bin';
  const environment = {
    name: '/srv/environments/shop',
    requirements: '/srv/requirements.txt',
    user: 'dev',
    find_links: '/srv/wheels',
    no_index: true,
  };
  await proves(t, 'virtualenv.managed', environment, [
    [`${bin}/pip uninstall -qy proofapp`, 'missing'],
    [`${bin}/pip uninstall -qy proofbase`, 'missing'],
    [`${bin}/pip install -q --no-deps --no-index -f /srv/wheels proofbase==2.0`, 'missing'],
    ['chown -R root: /srv/environments/shop', 'user'],
    [
      `ln -sfn /nowhere ${bin}/python3; sed -i "s/= false/= true/" /srv/environments/shop/pyvenv.cfg`,
      'python',
      'system_site_packages',
    ],
    ['rm -rf /srv/environments/shop', 'python', 'system_site_packages', 'user', 'missing'],
  ]);
  t.is(
    await shell(`cd / && ${bin}/python -c "import proofapp, proofbase; print(proofbase.VERSION)"`),
    '1.0',
  );
  await fails(
    t,
    'virtualenv.managed',
    { ...environment, requirements: '/srv/nope.txt' },
    {
      code: 'SOURCE_MISSING',
      words: /"\/srv\/nope.txt": there is no such file/u,
    },
  );
  await fails(
    t,
    'virtualenv.managed',
    { name: '/srv/projects' },
    { code: 'STATE_REFUSED', words: /something else/u },
  );
  t.is(await shell('stat -c %U /srv/projects'), 'root');

  const upgrade = { name: 'proofbase', upgrade: true, no_deps: true };
  const place = {
    bin_env: '/srv/environments/shop',
    user: 'dev',
    find_links: '/srv/wheels',
    no_index: true,
  };
  await proves(t, 'pip.installed', { ...place, name: 'proofbase>=2', no_deps: true }, [
    [`${bin}/pip uninstall -qy proofbase`, 'missing'],
  ]);
  t.like(
    await states.apply('pip.installed', {
      ...place,
      ...upgrade,
      env_vars: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: '/srv/wheels' },
    }),
    { status: 'unchanged' },
  );
  const guarded = {
    ...place,
    name: 'nowhere',
    no_index: false,
    index_url: 'http://robot:geheim@127.0.0.1:1/',
    env_vars: { PIP_RETRIES: '0' },
  };
  const answer = await states.apply('pip.installed', guarded);
  t.like(answer, { status: 'failed', code: 'COMMAND_FAILED' });
  t.false(JSON.stringify(answer).includes('geheim'));
  t.is(await shell('ls /run | grep conductor || true'), '', 'no file with the credentials is left');
});

const site = (body: string): Args => ({
  name: 'shop',
  contents: ['server {', '  listen 80;', '  server_name shop;', `  ${body}`, '}'],
});
const fetchShop = 'curl -s -H "Host: shop" http://127.0.0.1/';

onHosts(
  'nginx serves a site, and never stands on a configuration that it does not take',
  async (t) => {
    const available = '/etc/nginx/sites-available/shop';
    await proves(t, 'nginx.site', site('return 200 one;'), [
      [`sed -i s/one/two/ ${available}`, 'content', 'loaded'],
      ['rm /etc/nginx/sites-enabled/shop', 'enabled', 'loaded'],
      [`rm ${available}`, 'content', 'enabled', 'loaded'],
      [`ln -sfn /etc/hostname ${available}`, 'content', 'loaded'],
    ]);
    t.is(await shell(fetchShop), 'one');
    const master = await shell('cat /run/nginx.pid');

    await fails(t, 'nginx.site', site('retrn 200 two;'), {
      code: 'CHECK_FAILED',
      words: /unknown directive "retrn" in \/etc\/nginx\/sites-enabled\/shop:4/u,
    });
    await shell('systemd-run -q --unit=squatter python3 -m http.server 8182; sleep 1');
    await fails(t, 'nginx.site', site('listen 8182; return 200 two;'), {
      code: 'CHECK_FAILED',
      words: /Address already in use.*; the old configuration is back and in use$/u,
    });
    t.is(await shell(fetchShop), 'one');
    t.is(await shell('cat /run/nginx.pid'), master);
    t.deepEqual(await states.plan('nginx.site', site('return 200 one;')), { status: 'unchanged' });
    t.is(await shell('ls /run | grep conductor || true'), '', 'no staged copy is left');

    t.like(await states.notify('nginx.site', site('return 200 one;')), {
      status: 'changed',
      reaction: 'reloaded nginx for the site shop',
    });
    await shell('echo "broken" >/etc/nginx/conf.d/other.conf');
    await fails(t, 'nginx.site', site('return 200 three;'), {
      code: 'CHECK_FAILED',
      words: /conf\.d\/other\.conf/u,
    });
    await shell('rm /etc/nginx/conf.d/other.conf');

    await proves(t, 'nginx.site', { ...site('return 200 one;'), enabled: false });
    await proves(t, 'nginx.site_absent', { name: 'shop' }, []);
    await shell('systemctl stop nginx');
    await proves(t, 'nginx.site', site('return 200 four;'));
    await shell('systemctl start nginx');
    t.is(await shell(fetchShop), 'four');
  },
);

const server = (port: string): Args => ({
  name: 'shop',
  cmd: 'python3',
  args: ['-m', 'http.server', port, '--bind', '127.0.0.1'],
  uid: 'dev',
  working_dir: '/srv/projects',
  env: { GREETING: `it's 100% "fine", yes`.replaceAll("'", '') },
  stderr_stream: { filename: '/srv/logs/shop.log' },
  init_delay: 1,
});

onHosts('supervisor keeps a program running, and gets its old configuration back', async (t) => {
  await shell('install -d -o dev /srv/logs');
  const file = '/etc/supervisor/conf.d/shop.conf';
  await proves(t, 'supervisor.program', server('8124'), [
    [`sed -i s/8124/8125/ ${file}`, 'content', 'loaded'],
    ['supervisorctl stop shop', 'active'],
    [`rm ${file}`, 'content', 'loaded'],
    [`rm ${file} && supervisorctl update`, 'content', 'loaded', 'active'],
  ]);
  t.is(
    await shell('tr "\\0" "\\n" </proc/$(supervisorctl pid shop)/environ | grep ^GREETING'),
    'GREETING=its 100% "fine", yes',
  );
  t.is(await shell('ps -o user= -p $(supervisorctl pid shop)'), 'dev');
  await fails(t, 'supervisor.program', server('nope'), {
    code: 'CHECK_FAILED',
    words: /invalid int value: 'nope'\); the old configuration is back and in use$/su,
  });
  await fails(
    t,
    'supervisor.program',
    { ...server('8124'), uid: 'nobodyy' },
    { code: 'CHECK_FAILED', words: /Invalid user name nobodyy/u },
  );
  await shell('curl -s http://127.0.0.1:8124/ >/dev/null');
  t.deepEqual(await states.plan('supervisor.program', server('8124')), { status: 'unchanged' });
  const pid = await shell('supervisorctl pid shop');
  t.like(await states.notify('supervisor.program', server('8124')), {
    reaction: 'restarted the program shop',
  });
  t.not(await shell('supervisorctl pid shop'), pid);
  await fails(
    t,
    'supervisor.program',
    { name: 'brief', cmd: 'sleep 0.3', startsecs: 0 },
    { code: 'CHECK_FAILED', words: /it has been taken away again$/u },
  );
  await proves(t, 'supervisor.program_absent', { name: 'shop' });
});

const CIRCUS =
  '[circus]\nendpoint = tcp://127.0.0.1:5999\npubsub_endpoint = tcp://127.0.0.1:5998\ninclude_dir = /etc/circus/conf.d\n';
const CIRCUSD =
  '[Service]\nExecStart=/srv/environments/circus/bin/circusd /etc/circus/circus.ini\n';

withIndex('circus keeps a watcher running, and gets its old configuration back', async (t) => {
  await proves(t, 'virtualenv.managed', { name: '/srv/environments/circus', pip_pkgs: 'circus' });
  await host.write('/etc/circus/circus.ini', CIRCUS);
  await host.write('/etc/systemd/system/circusd.service', CIRCUSD);
  await shell('mkdir /etc/circus/conf.d && systemctl daemon-reload && systemctl start circusd');
  const control = '/srv/environments/circus/bin/circusctl --endpoint tcp://127.0.0.1:5999';
  await shell(
    `for i in $(seq 50); do ${control} --timeout 1 list >/dev/null && break; sleep 0.1; done`,
  );

  const watcher = { ...server('8123'), copy_env: true };
  const file = '/etc/circus/conf.d/shop.ini';
  await proves(t, 'circus.watcher', watcher, [
    [`sed -i s/8123/8125/ ${file}`, 'content', 'loaded'],
    [`${control} stop shop --waiting`, 'active'],
    [`rm ${file}`, 'content', 'loaded'],
    [`rm ${file} && ${control} reloadconfig --waiting`, 'content', 'loaded', 'active'],
  ]);
  await shell('curl -s http://127.0.0.1:8123/ >/dev/null');
  await fails(
    t,
    'circus.watcher',
    { ...watcher, ...server('nope') },
    {
      code: 'CHECK_FAILED',
      words: /invalid int value: 'nope'\); the old configuration is back and in use$/su,
    },
  );
  await fails(
    t,
    'circus.watcher',
    { ...watcher, uid: 'nobodyy' },
    { code: 'CHECK_FAILED', words: /nobodyy.*valid user/u },
  );
  await shell('curl -s http://127.0.0.1:8123/ >/dev/null');
  t.deepEqual(await states.plan('circus.watcher', watcher), { status: 'unchanged' });
  const pids = `${control} list shop`;
  const before = await shell(pids);
  t.like(await states.notify('circus.watcher', watcher), {
    reaction: 'restarted the watcher shop',
  });
  t.not(await shell(pids), before);
  await fails(
    t,
    'circus.watcher',
    { name: 'brief', cmd: '/bin/sleep 0.3' },
    { code: 'CHECK_FAILED', words: /it has been taken away again$/u },
  );
  await proves(t, 'circus.watcher_absent', { name: 'shop' });
  await shell('systemctl stop circusd');
  await fails(t, 'circus.watcher', watcher, {
    code: 'STATE_REFUSED',
    words: /no circusd answers/u,
  });
});

onHosts(
  'the migrations of a Django project are applied and its static files collected',
  async (t) => {
    await shell(
      'apt-get -qq install -y python3-django libjs-jquery >/dev/null; cd /srv/projects && django-admin startproject mysite && chown -R dev: mysite',
    );
    const project = { name: '/srv/projects/mysite', user: 'dev' };
    await shell(
      `printf '\\nSTATIC_ROOT = "/srv/projects/mysite/static"\\n' >>/srv/projects/mysite/mysite/settings.py; runuser -u dev -- python3 /srv/projects/mysite/manage.py migrate --noinput auth >/dev/null`,
    );
    const migrate = 'runuser -u dev -- python3 /srv/projects/mysite/manage.py migrate';
    await proves(t, 'django.migrated', project, [[`${migrate} sessions zero`, 'unapplied']]);
    await proves(t, 'django.static', project, [
      ['rm /srv/projects/mysite/static/admin/css/base.css', 'stale'],
    ]);
    t.is(await shell('stat -c %U /srv/projects/mysite/static/admin/css/base.css'), 'dev');
    await fails(
      t,
      'django.migrated',
      { ...project, settings_module: 'nowhere' },
      { code: 'COMMAND_FAILED', words: /No module named 'nowhere'$/u },
    );
  },
);

onHosts('a port stays with its name', async (t) => {
  await proves(t, 'port.allocated', { name: 'shop' });
  t.regex(await shell('cat /var/lib/conductor/minion/registry.json'), /"port:shop": "20001"/u);
});
