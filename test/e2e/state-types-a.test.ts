import test from 'ava';
import type { ExecutionContext } from 'ava';
import { openFleet } from '../hosts/hosts.ts';
import type { Fleet } from '../hosts/hosts.ts';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { statesOn } from './states-on-host.ts';
import type { Answer, States } from './states-on-host.ts';

/** State types of accounts, files, packages, services, cron, commands, keys and waits, on one real Debian. */

const onHost = await testOnHosts(test);
let fleet: Fleet | null = null;
let host: Host;
let states: States;

onHost('boots a host', async (t) => {
  t.timeout(600_000);
  fleet = await openFleet({ log: (line) => t.log(line) });
  host = await fleet.boot({ name: 'proof', image: 'base' });
  states = await statesOn(host);
  // Nobody but the states under test is to change anything.
  await sh('systemctl mask --now apt-daily.timer apt-daily-upgrade.timer 2>&1');
  t.true(host.isOn);
});

test.after.always(async () => fleet?.close());

/** A few words of shell on the host: how tests disturb it and look at it. */
async function sh(script: string): Promise<string> {
  const { stdout } = await host.exec(['/bin/bash', '-ec', script]);
  return stdout.trim();
}

/** Everything on the host's disk that has changed since the stamp, but for what the system writes by itself. */
const CHANGED =
  'find / -xdev -cnewer /run/stamp -not -path "/var/log/*" -not -path "/var/lib/systemd/*" -not -path "/run*" -not -path "/tmp/systemd-*" -not -path "/proc/*" -not -path "/opt/conductor-proof*"';

/** What a dry run foresees; it must not touch the disk. */
async function plan(t: ExecutionContext, type: string, args: object): Promise<Answer> {
  await sh('touch /run/stamp; sleep 0.02');
  const answer = await states.plan(type, args);
  t.is(await sh(CHANGED), '', `the dry run of ${type} has written`);
  return answer;
}

function attributesOf(t: ExecutionContext, answer: Answer): string[] {
  if (answer.status === 'would-change' || answer.status === 'changed') {
    return Object.keys(answer.change?.to ?? {}).toSorted();
  }
  t.fail(JSON.stringify(answer));
  return [];
}

/** Foreseen, made as foreseen, and then unchanged. */
async function converges(t: ExecutionContext, type: string, args: object): Promise<Answer> {
  const planned = await plan(t, type, args);
  t.is(planned.status, 'would-change', JSON.stringify(planned));
  const made = await states.apply(type, args);
  t.is(made.status, 'changed', JSON.stringify(made));
  if (planned.status === 'would-change' && made.status === 'changed') {
    t.deepEqual(made.change, planned.change, `${type} did something else than it foresaw`);
  }
  await isUnchanged(t, type, args);
  return made;
}

async function isUnchanged(t: ExecutionContext, type: string, args: object): Promise<void> {
  t.deepEqual(await states.apply(type, args), { status: 'unchanged' });
}

/** Each disturbance changes these attributes and no others, and is repaired. */
async function repairs(
  t: ExecutionContext,
  type: string,
  args: object,
  disturbances: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  for (const [script, attributes] of Object.entries(disturbances)) {
    await sh(script);
    t.deepEqual(attributesOf(t, await plan(t, type, args)), [...attributes].toSorted(), script);
    const made = await states.apply(type, args);
    t.is(made.status, 'changed', `${script}: ${JSON.stringify(made)}`);
    await isUnchanged(t, type, args);
  }
}

async function fails(type: string, args: object): Promise<Answer & { status: 'failed' }> {
  const answer = await states.apply(type, args);
  if (answer.status === 'failed') return answer;
  throw new Error(`${type} was to fail: ${JSON.stringify(answer)}`);
}

onHost('group.present and group.absent', async (t) => {
  await sh('useradd ann; useradd ben');
  const args = { name: 'crew', gid: 4321, members: ['ben', 'ann'] };
  await converges(t, 'group.present', args);
  t.is(await sh('getent group crew'), 'crew:x:4321:ann,ben');
  await repairs(t, 'group.present', args, {
    'gpasswd --delete ann crew': ['members'],
    'groupmod --gid 4400 crew': ['gid'],
    'groupmod --gid 4400 crew; gpasswd --members "" crew': ['gid', 'members'],
    'groupdel crew': ['gid', 'members'],
  });
  await converges(t, 'group.present', { name: 'crew', delusers: ['ann'] });
  t.is(await sh('getent group crew'), 'crew:x:4321:ben');
  await converges(t, 'group.present', { name: 'crew', addusers: ['ann'] });
  await converges(t, 'group.present', { name: 'daemons', system: true });
  t.true(Number(await sh('getent group daemons | cut -d: -f3')) < 1000);
  await converges(t, 'group.absent', { name: 'crew' });
  t.is(await sh('getent group crew || echo none'), 'none');
  const refused = await fails('group.absent', { name: 'ann' });
  t.regex(refused.message, /primary group/);
});

const HASH =
  '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/';

onHost('user.present and user.absent', async (t) => {
  await sh('groupadd ops; groupadd extra');
  const args = {
    name: 'robot',
    uid: 2345,
    groups: ['ops'],
    optional_groups: ['extra', 'nowhere'],
    home: '/srv/homes/robot',
    shell: '/bin/bash',
    fullname: 'Robot of the house',
    roomnumber: '12',
    password: HASH,
    expire: '2031-12-31',
    maxdays: 90,
    warndays: 7,
  };
  await converges(t, 'user.present', args);
  t.is(
    await sh('getent passwd robot'),
    'robot:x:2345:2345:Robot of the house,12:/srv/homes/robot:/bin/bash',
  );
  t.is(
    await sh('getent group ops extra'),
    await sh(
      'echo ops:x:$(getent group ops | cut -d: -f3):robot; echo extra:x:$(getent group extra | cut -d: -f3):robot',
    ),
  );
  t.is(
    await sh('stat --format=%U:%G /srv/homes/robot; ls -A /srv/homes/robot | head -1'),
    'robot:robot\n.bash_logout',
  );
  t.is(await sh('getent shadow robot | cut -d: -f2,5,6,8'), `${HASH}:90:7:22644`);
  await repairs(t, 'user.present', args, {
    'usermod --shell /bin/sh robot': ['shell'],
    'usermod --comment "Somebody,12,555" robot': ['fullname'],
    'usermod --groups extra robot': ['groups'],
    'usermod --append --groups adm robot': ['groups'],
    'usermod --expiredate "" robot': ['expire'],
    'chage --maxdays 5 robot': ['maxdays'],
    'usermod --home /srv/homes/other robot': ['createhome', 'home'],
    'rm -r /srv/homes/robot': ['createhome'],
    'usermod --lock robot': ['password'],
    'userdel robot': [
      'createhome',
      'expire',
      'fullname',
      'groups',
      'home',
      'maxdays',
      'password',
      'roomnumber',
      'shell',
      'uid',
      'warndays',
    ],
  });
  t.is(await sh('getent passwd robot | cut -d: -f5'), 'Robot of the house,12');
  const renumbered = await fails('user.present', { name: 'robot', uid: 2346 });
  t.is(
    renumbered.message.split(',')[0],
    'Cannot change the uid of user "robot": it is 2345 and not 2346',
  );
  await isUnchanged(t, 'user.present', { name: 'robot', enforce_password: false, password: '!' });
  await converges(t, 'user.present', { name: 'robot', home: '/srv/homes/moved' });
  t.is(await sh('stat --format=%U /srv/homes/moved/.bashrc; ls /srv/homes'), 'robot\nmoved');
  await converges(t, 'user.present', { name: 'robot', groups: [], expire: 'never' });
  t.is(await sh('id --groups --name robot'), 'robot');
  await converges(t, 'user.absent', { name: 'robot', purge: true });
  t.is(await sh('getent passwd robot || ls /srv/homes'), '');
  t.is(await sh('getent group robot || echo none'), 'none');
});

onHost(
  'user.present makes system users, takes a group of the same name and shows no home where none is wanted',
  async (t) => {
    await sh('groupadd --gid 3456 keeper');
    await converges(t, 'user.present', {
      name: 'keeper',
      system: true,
      createhome: false,
      shell: '/usr/sbin/nologin',
    });
    t.is(await sh('id --group keeper; test -e /home/keeper || echo homeless'), '3456\nhomeless');
    await isUnchanged(t, 'user.present', { name: 'nobody' });
    await isUnchanged(t, 'user.present', { name: 'keeper', createhome: false, gid: 3456 });
    await isUnchanged(t, 'user.present', { name: 'keeper', createhome: false, gid: 'keeper' });
  },
);

onHost('file.managed', async (t) => {
  await sh('useradd --create-home owner');
  const args = {
    name: '/srv/app/conf/settings.ini',
    contents: ['[main]', 'debug = no'],
    user: 'owner',
    group: 'ops',
    mode: 640,
    makedirs: true,
    dir_mode: '0750',
  };
  await converges(t, 'file.managed', args);
  t.is(await sh('cat /srv/app/conf/settings.ini'), '[main]\ndebug = no');
  t.is(
    await sh('stat --format="%a %U %G" /srv/app/conf/settings.ini /srv/app/conf /srv/app'),
    '640 owner ops\n750 owner ops\n750 owner ops',
  );
  await repairs(t, 'file.managed', args, {
    'echo x >> /srv/app/conf/settings.ini': ['content'],
    'head --bytes 64 /dev/urandom > /srv/app/conf/settings.ini': ['content'],
    'chmod 666 /srv/app/conf/settings.ini': ['mode'],
    'chown root /srv/app/conf/settings.ini': ['user'],
    'chgrp root /srv/app/conf/settings.ini': ['group'],
    'rm -r /srv/app': ['content', 'group', 'mode', 'user'],
  });
  for (const mode of [640, '640', '0640']) await isUnchanged(t, 'file.managed', { ...args, mode });
  await isUnchanged(t, 'file.managed', { name: args.name });
  await isUnchanged(t, 'file.managed', { ...args, contents: 'other', replace: false });
  await isUnchanged(t, 'file.managed', { name: '/srv/none', contents: 'x', create: false });
  const uid = Number(await sh('id --user owner'));
  await isUnchanged(t, 'file.managed', { ...args, user: uid });
  await converges(t, 'file.absent', { name: '/srv/app' });
  const parentless = await fails('file.managed', { name: '/srv/app/x', contents: 'x' });
  t.is(
    parentless.message,
    'Cannot make "/srv/app/x": its directory does not exist (makedirs: true makes it)',
  );
  await sh('mkdir /srv/app');
  const foreign = await fails('file.managed', { name: '/srv/app', contents: 'x' });
  t.is(foreign.message, 'Cannot make "/srv/app" a file: a directory stands there');
});

onHost(
  'file.managed checks before it replaces, keeps what was there, and hides what it is told to',
  async (t) => {
    const checked = {
      name: '/etc/checked.conf',
      contents: 'good',
      check_cmd: ['test -s', 'grep -q good'],
    };
    await converges(t, 'file.managed', checked);
    const refused = await fails('file.managed', { ...checked, contents: 'bad' });
    t.is(refused.code, 'CHECK_FAILED');
    t.is(await sh('cat /etc/checked.conf; ls /tmp | grep -c conductor || true'), 'good\n0');
    const secret = { ...checked, contents: 'good secret', backup: true, show_changes: false };
    t.deepEqual(attributesOf(t, await converges(t, 'file.managed', secret)), ['sha256']);
    t.is(
      await sh(
        'cat /var/backups/conductor/etc%checked.conf@*; stat --format=%a /var/backups/conductor',
      ),
      'good\n700',
    );
  },
);

onHost('file.managed follows links of root and no others', async (t) => {
  await sh('echo old > /srv/target; ln -s target /srv/link');
  const args = { name: '/srv/link', contents: 'new', mode: '0600' };
  await converges(t, 'file.managed', args);
  t.is(await sh('stat --format=%F /srv/link; cat /srv/target'), 'symbolic link\nnew');
  await converges(t, 'file.managed', { ...args, contents: 'own', follow_symlinks: false });
  t.is(await sh('stat --format=%F /srv/link; cat /srv/target'), 'regular file\nnew');
  const before = await sh('sha256sum /etc/shadow; stat --format="%a %U" /etc/shadow');
  await host.exec(['ln', '--symbolic', '/etc/shadow', '/home/owner/trap'], { user: 'owner' });
  const trapped = await fails('file.managed', {
    name: '/home/owner/trap',
    contents: 'x',
    user: 'owner',
  });
  t.is(
    trapped.message,
    'Cannot manage "/home/owner/trap": a symbolic link of "owner" stands there, and only links of root are followed',
  );
  await host.exec(['ln', '--symbolic', '/etc', '/home/owner/etc'], { user: 'owner' });
  await fails('file.managed', { name: '/home/owner/etc/shadow', contents: 'x', user: 'owner' });
  await fails('file.directory', { name: '/home/owner/etc', user: 'owner' });
  t.is(await sh('sha256sum /etc/shadow; stat --format="%a %U" /etc/shadow'), before);
});

const SERVER = `
const { createServer } = require('node:http');
const body = 'from the web\\n';
setTimeout(() => createServer((request, response) => {
  if (request.url === '/moved') return response.writeHead(302, { location: '/file.tar' }).end();
  if (request.url === '/file.tar') return response.end(body);
  if (request.url === '/sums') return response.end(process.env.DIGEST + '  other\\n' + process.env.DIGEST + '  file.tar\\n');
  if (request.url === '/named') return response.end(request.headers.host + ' is well');
  response.writeHead(404).end();
}).listen(8099, '127.0.0.1'), Number(process.env.DELAY));
`;
const DIGEST = '5b0d79a5a5d2b8d5f1e16d0e9a3b5cf6';

async function serve(delayMs: number): Promise<string> {
  await host.write('/opt/server.cjs', SERVER);
  const digest = await sh(`printf 'from the web\\n' | sha256sum | cut -d' ' -f1`);
  await sh(
    `systemctl stop web 2>/dev/null || true; systemctl reset-failed web 2>/dev/null || true; systemd-run --quiet --unit=web --setenv=DELAY=${delayMs} --setenv=DIGEST=${digest} /opt/conductor-proof/node /opt/server.cjs`,
  );
  return digest;
}

onHost('wait.port and wait.http', async (t) => {
  const port = { name: 'web', port: '8099', timeout: 20 };
  t.is((await plan(t, 'wait.port', port)).status, 'unknown');
  await serve(1500);
  t.is((await states.apply('wait.port', port)).status, 'unchanged');
  await isUnchanged(t, 'wait.port', port);
  await serve(1500);
  const site = {
    name: 'http://www.example.org:8099/named',
    address: '127.0.0.1',
    contains: 'www.example.org:8099 is well',
    timeout: 20,
  };
  t.is((await states.apply('wait.http', site)).status, 'unchanged');
  await isUnchanged(t, 'wait.http', site);
  await isUnchanged(t, 'wait.http', { name: 'http://127.0.0.1:8099/none', status: [404, 410] });
  const missing = await fails('wait.http', { name: 'http://127.0.0.1:8099/none', timeout: 1 });
  t.is(
    missing.message,
    'Cannot wait for "http://127.0.0.1:8099/none" any longer: after 1 s it last gave status 404',
  );
  t.is(missing.code, 'COMMAND_TIMEOUT');
  const closed = await fails('wait.port', { name: 'x', port: 8098, timeout: 1 });
  t.is(
    closed.message,
    'Cannot wait for port 8098 of "127.0.0.1" any longer: nothing accepts connections after 1 s',
  );
});

onHost(
  'file.managed downloads what has the right digest, and copies files of the host',
  async (t) => {
    const digest = await serve(0);
    await states.apply('wait.port', { name: 'web', port: 8099 });
    const web = 'http://127.0.0.1:8099';
    const args = { name: '/srv/from-web', source: `${web}/moved`, source_hash: `sha256=${digest}` };
    await converges(t, 'file.managed', args);
    t.is(await sh('cat /srv/from-web'), 'from the web');
    await repairs(t, 'file.managed', args, { 'echo x > /srv/from-web': ['source_hash'] });
    await isUnchanged(t, 'file.managed', { ...args, source_hash: digest });
    await isUnchanged(t, 'file.managed', {
      ...args,
      source: `${web}/file.tar`,
      source_hash: `${web}/sums`,
    });
    await isUnchanged(t, 'file.managed', { ...args, source: [`${web}/none`, `${web}/file.tar`] });
    await sh('rm /srv/from-web');
    await converges(t, 'file.managed', { ...args, source: [`${web}/none`, `${web}/file.tar`] });
    const wrong = await fails('file.managed', { ...args, source_hash: DIGEST });
    t.regex(
      wrong.message,
      /^Cannot use ".*\/moved": what was downloaded has md5=[0-9a-f]{32}, not md5=5b0d/,
    );
    t.is(await sh('cat /srv/from-web'), 'from the web');
    const local = { name: '/srv/copy', source: ['/srv/nothing', '/bin/true'], mode: '0755' };
    t.deepEqual(attributesOf(t, await converges(t, 'file.managed', local)), ['mode', 'sha256']);
    t.is(await sh('cmp /srv/copy /bin/true && /srv/copy && echo same'), 'same');
    const none = await fails('file.managed', { name: '/srv/copy', source: '/srv/nothing' });
    t.is(none.message, 'Cannot find the source "/srv/nothing": there is no such file');
  },
);

onHost('file.directory', async (t) => {
  const args = {
    name: '/srv/deep/tree',
    user: 'owner',
    group: 'ops',
    mode: '2750',
    makedirs: true,
  };
  await converges(t, 'file.directory', args);
  await repairs(t, 'file.directory', args, {
    'chmod 0755 /srv/deep/tree; chmod g-s /srv/deep/tree': ['mode'],
    'chown root:ops /srv/deep/tree': ['user'],
    'chgrp root /srv/deep/tree': ['group'],
    'rmdir /srv/deep/tree': ['group', 'kind', 'mode', 'user'],
  });
  await sh('rmdir /srv/deep/tree; echo keep > /srv/deep/tree');
  const foreign = await fails('file.directory', args);
  t.is(foreign.message, 'Cannot make "/srv/deep/tree" a directory: a file stands there');
  await converges(t, 'file.directory', { ...args, backupname: '/srv/deep/was' });
  t.is(await sh('cat /srv/deep/was; stat --format="%a %F" /srv/deep/tree'), 'keep\n2750 directory');
});

onHost(
  'file.directory gives 40,000 files their owners in seconds, and never follows a link',
  async (t) => {
    t.timeout(240_000);
    await sh(
      'mkdir -p /srv/big; cd /srv/big; for d in $(seq 200); do mkdir $d; (cd $d; touch $(seq 200)); done',
    );
    await sh('ln -s /etc/passwd /srv/big/1/passwd; ln -s /etc /srv/big/2/etc');
    const before = await sh('stat --format="%a %U %G %n" /etc /etc/passwd /etc/shadow');
    const args = {
      name: '/srv/big',
      user: 'owner',
      group: 'ops',
      dir_mode: '0750',
      file_mode: '0640',
      recurse: ['user', 'group', 'mode'],
    };
    const begun = Date.now();
    await converges(t, 'file.directory', args);
    const all = Date.now();
    await isUnchanged(t, 'file.directory', args);
    t.log(
      `plan, change of all, and two looks: ${all - begun} ms; one look: ${Date.now() - all} ms`,
    );
    t.true(all - begun < 60_000);
    t.is(
      await sh(
        'find /srv/big -mindepth 1 ! -user owner -o ! -group ops -o -type f ! -perm 640 -o -type d ! -perm 750 | wc -l',
      ),
      '0',
    );
    t.is(await sh('stat --format="%a %U %G %n" /etc /etc/passwd /etc/shadow'), before);
    await repairs(t, 'file.directory', args, {
      'chown root /srv/big/7/7; chmod 600 /srv/big/8/8; chmod 777 /srv/big/9': ['recurse'],
    });
    const shallow = { name: '/srv/big', user: 'root', recurse: ['user'], max_depth: 0 };
    await converges(t, 'file.directory', shallow);
    t.is(await sh('stat --format=%U /srv/big/7 /srv/big/7/7'), 'root\nowner');
    await converges(t, 'file.absent', { name: '/srv/big' });
    t.is(await sh('ls /etc/passwd'), '/etc/passwd');
  },
);

onHost('file.symlink and file.absent', async (t) => {
  const args = {
    name: '/srv/links/current',
    target: '../deep/tree',
    user: 'owner',
    group: 'ops',
    makedirs: true,
  };
  await converges(t, 'file.symlink', args);
  t.is(
    await sh('readlink /srv/links/current; stat --format=%U:%G /srv/links/current'),
    '../deep/tree\nowner:ops',
  );
  await repairs(t, 'file.symlink', args, {
    'ln -sfn /tmp /srv/links/current; chown -h owner:ops /srv/links/current': ['target'],
    'chown -h root /srv/links/current': ['user'],
    'rm /srv/links/current': ['group', 'target', 'user'],
  });
  await sh('rm /srv/links/current; mkdir /srv/links/current; touch /srv/links/current/inside');
  const foreign = await fails('file.symlink', args);
  t.is(
    foreign.message,
    'Cannot make "/srv/links/current" a symbolic link: a directory stands there',
  );
  await converges(t, 'file.symlink', { ...args, force: true });
  await converges(t, 'file.absent', { name: '/srv/links/current' });
  t.is(await sh('ls /srv/links; ls -d /srv/deep/tree'), '/srv/deep/tree');
  await converges(t, 'file.absent', { name: '/srv/links' });
});

onHost('pkg.installed and pkg.removed', async (t) => {
  t.timeout(400_000);
  const args = {
    name: 'tools',
    pkgs: ['cron', 'sl', { figlet: '>=2' }],
    install_recommends: false,
  };
  await sh('rm -rf /var/lib/apt/lists/*');
  const first = await states.apply('pkg.installed', args);
  t.is(first.status, 'changed', JSON.stringify(first));
  t.deepEqual(attributesOf(t, first), ['cron', 'figlet', 'sl']);
  await isUnchanged(t, 'pkg.installed', args);
  await repairs(t, 'pkg.installed', args, {
    'apt-get remove -qq sl': ['sl'],
    'apt-get purge -qq sl figlet': ['figlet', 'sl'],
    'dpkg --force-depends --remove sl; sed -i "/^Package: figlet$/,/^$/s/install ok installed/install ok half-configured/" /var/lib/dpkg/status':
      ['figlet', 'sl'],
  });
  const version = await sh("dpkg-query --show --showformat='${Version}' sl");
  await isUnchanged(t, 'pkg.installed', { name: 'sl', version });
  await isUnchanged(t, 'pkg.installed', { name: 'sl', version: `${version.slice(0, 2)}*` });
  await isUnchanged(t, 'pkg.installed', { name: 'sl', version: 'latest' });
  await converges(t, 'pkg.installed', { name: 'sl', hold: true });
  t.is(await sh('apt-mark showhold'), 'sl');
  await repairs(t, 'pkg.installed', { name: 'sl', hold: true }, { 'apt-mark unhold sl': ['hold'] });
  await converges(t, 'pkg.installed', { name: 'sl', hold: false });
  const unknown = await fails('pkg.installed', { name: 'no-such-package' });
  t.is(unknown.message, 'Cannot install "no-such-package": no package source of this host has it');
  const newer = await fails('pkg.installed', { name: 'sl', version: '>=99' });
  t.is(
    newer.message,
    `Cannot install "sl" in version ">=99": the package sources of this host have ${version}`,
  );
  await isUnchanged(t, 'pkg.installed', { name: 'awk' });
  await converges(t, 'pkg.removed', { name: 'toys', pkgs: ['sl', 'figlet'], purge: true });
  t.is(await sh('dpkg-query --show sl figlet 2>&1 | grep -c "no packages"'), '2');
  await isUnchanged(t, 'pkg.removed', { name: 'no-such-package' });
});

onHost(
  'pkg.installed mends a dpkg that was interrupted and keeps changed configuration files',
  async (t) => {
    await states.apply('pkg.installed', { name: 'sl' });
    await sh(
      'echo "# mine" >> /etc/default/cron; dpkg --unpack /var/cache/apt/archives/figlet*.deb 2>&1 || (cd /tmp && apt-get download -qq figlet && dpkg --unpack figlet*.deb)',
    );
    t.not(await sh('dpkg --audit'), '');
    await converges(t, 'pkg.installed', { name: 'figlet' });
    t.is(await sh('dpkg --audit; tail -1 /etc/default/cron'), '# mine');
  },
);

/** Holds a lock as apt and dpkg do, for some seconds. */
async function holdLock(path: string, seconds: number): Promise<void> {
  const script = `open F, ">>", "${path}"; my $lock = pack "s s l! l! i", 1, 0, 0, 0, 0; fcntl F, 7, $lock or die; sleep ${seconds}`;
  await sh(`nohup perl -e '${script}' >/dev/null 2>&1 & sleep 0.3`);
}

/** How many still hold a lock. */
const HOLDERS = 'pgrep --full --count "[f]cntl F" || true';

onHost('pkg.installed and pkg.removed wait for others to end with apt and dpkg', async (t) => {
  await holdLock('/var/lib/dpkg/lock-frontend', 6);
  t.is(await sh(HOLDERS), '1');
  t.is((await states.apply('pkg.removed', { name: 'figlet' })).status, 'changed');
  t.is(await sh(HOLDERS), '0', 'it did not wait for dpkg');
  await holdLock('/var/lib/apt/lists/lock', 4);
  await holdLock('/var/cache/apt/archives/lock', 8);
  await sh('rm -f /var/lib/apt/lists/*_*');
  const made = await states.apply('pkg.installed', { name: 'figlet' });
  t.is(await sh(HOLDERS), '0', 'it did not wait for apt');
  t.is(made.status, 'changed', JSON.stringify(made));
});

const UNIT = (command: string) =>
  `[Service]\nExecStart=${command}\nExecReload=/bin/touch /run/reloaded\n[Install]\nWantedBy=multi-user.target\n`;

onHost('service.running and service.dead', async (t) => {
  const unit = { name: '/etc/systemd/system/tick.service', contents: UNIT('/bin/sleep infinity') };
  await converges(t, 'file.managed', unit);
  const args = { name: 'tick', enable: true };
  await converges(t, 'service.running', args);
  t.is(await sh('systemctl is-active tick; systemctl is-enabled tick'), 'active\nenabled');
  await repairs(t, 'service.running', args, {
    'systemctl stop tick': ['running'],
    'systemctl kill --signal=KILL tick; sleep 0.3': ['running'],
    'systemctl disable tick': ['enable'],
    'systemctl disable --now tick': ['enable', 'running'],
  });
  const pid = 'systemctl show --value --property=MainPID tick';
  const before = await sh(pid);
  t.like(await states.notify('service.running', args), {
    status: 'changed',
    reaction: 'restarted',
  });
  t.not(await sh(pid), before);
  const again = await sh(pid);
  t.like(await states.notify('service.running', { ...args, reload: true }), {
    reaction: 'reloaded',
  });
  t.is(await sh(pid), again);
  t.is(await sh('ls /run/reloaded'), '/run/reloaded');
  await converges(t, 'file.managed', { ...unit, contents: UNIT('/bin/sleep 123456') });
  t.is(await sh('systemctl show --value --property=NeedDaemonReload tick'), 'yes');
  t.like(await states.notify('service.running', args), { reaction: 'restarted' });
  t.regex(await sh('systemctl show --property=ExecStart tick; pgrep -a sleep'), /sleep 123456/);
  await sh('systemctl mask --now cron 2>&1');
  const masked = await fails('service.running', { name: 'cron' });
  t.is(masked.message, 'Cannot start "cron.service": it is masked (unmask: true lifts that)');
  await converges(t, 'service.running', { name: 'cron', unmask: true, enable: true });
  await converges(t, 'service.dead', { name: 'tick', enable: false });
  await isUnchanged(t, 'service.dead', { name: 'no-such-thing', enable: false });
  const unknown = await fails('service.running', { name: 'no-such-thing' });
  t.is(unknown.message, 'Cannot start "no-such-thing.service": there is no such unit');
});

onHost('service.running does not call success what dies right after its start', async (t) => {
  const make = async (name: string, text: string) =>
    states.apply('file.managed', { name: `/etc/systemd/system/${name}.service`, contents: text });
  await make('fragile', UNIT("/bin/sh -c 'echo out of order >&2; exit 3'"));
  const dead = await fails('service.running', { name: 'fragile' });
  t.is(dead.code, 'COMMAND_FAILED');
  t.is(dead.message, 'Cannot start "fragile.service": it is failed (failed)');
  t.regex(dead.output, /out of order/);
  await make(
    'looping',
    `[Service]\nExecStart=/bin/sh -c 'sleep 0.2; exit 1'\nRestart=always\nRestartSec=100ms\nStartLimitBurst=100\n`,
  );
  const loop = await fails('service.running', { name: 'looping' });
  t.regex(
    loop.message,
    /^Cannot start "looping.service": it (ended and was started anew|is activating)/,
  );
  t.like(await plan(t, 'service.dead', { name: 'looping' }), { status: 'would-change' });
  t.is((await states.apply('service.dead', { name: 'looping' })).status, 'changed');
  await isUnchanged(t, 'service.dead', { name: 'looping' });
  await make('broken', '[Service]\nExecStart=relative/path\n');
  const broken = await fails('service.running', { name: 'broken' });
  t.regex(`${broken.message}\n${broken.output}`, /bad unit file setting|bad-setting/);
});

/** Edits a crontab behind Conductor's back. */
function edit(script: string): string {
  return `crontab -u owner -l | sed '${script}' | crontab -u owner -`;
}

onHost('cron.present and cron.absent', async (t) => {
  const others =
    '# of somebody else\nMAILTO=\u05d0@example.org\n5 4 * * * /bin/others  --twice\n\n@reboot   /bin/other\n';
  await host.exec(['crontab', '-u', 'owner', '-'], { input: others });
  const args = {
    name: '/bin/job --run',
    user: 'owner',
    identifier: 'the job',
    minute: '*/5',
    hour: 3,
    comment: 'Ours',
    env: { MODE: "it's 5%" },
  };
  await converges(t, 'cron.present', args);
  const list = async () => (await host.exec(['crontab', '-u', 'owner', '-l'])).stdout;
  t.is(
    await list(),
    `${others}# conductor: the job\n# Ours\n*/5 3 * * * export MODE='it'\\''s 5'\\%''; /bin/job --run\n`,
  );
  await repairs(t, 'cron.present', args, {
    [edit('s#^\\*/5 3#1 3#')]: ['minute'],
    [edit('s# 3 \\* \\* \\* export# 4 * * * export#')]: ['hour'],
    [edit('s#--run#--walk#')]: ['name'],
    [edit('s/^# Ours/# Theirs/')]: ['comment'],
    [edit('s/^.*bin.job/#DISABLED# &/')]: ['commented'],
    [edit('/bin.job/d')]: [
      'comment',
      'commented',
      'daymonth',
      'dayweek',
      'hour',
      'minute',
      'month',
      'name',
    ],
    'crontab -u owner -r; echo "1 1 * * * x" | crontab -u owner -': [
      'comment',
      'commented',
      'daymonth',
      'dayweek',
      'hour',
      'minute',
      'month',
      'name',
    ],
  });
  await host.exec(['crontab', '-u', 'owner', '-'], { input: others });
  const special = { name: '/bin/other', user: 'owner', special: '@reboot' };
  await isUnchanged(t, 'cron.present', special);
  await converges(t, 'cron.present', { ...special, special: '@daily' });
  t.is(
    await list(),
    others.replace('@reboot   /bin/other', '# conductor: /bin/other\n@daily /bin/other'),
  );
  await converges(t, 'cron.absent', { name: '/bin/other', user: 'owner' });
  t.is(await list(), others.replace('@reboot   /bin/other\n', ''));
  const chosen = { name: '/bin/some', user: 'owner', minute: 'random', hour: 'random' };
  await converges(t, 'cron.present', chosen);
  const unreadable = await fails('cron.present', { name: '/bin/x', user: 'owner', minute: 99 });
  t.regex(`${unreadable.message}${unreadable.output}`, /bad minute/);
  const nobody = await fails('cron.present', { name: '/bin/x', user: 'not-here' });
  t.regex(nobody.message, /no such user/);
  await isUnchanged(t, 'cron.absent', { name: '/bin/x', user: 'not-here' });
});

onHost('cmd.run and cmd.wait', async (t) => {
  const run = (args: object) => states.apply('cmd.run', args);
  const script =
    'whoami > out; id -Gn >> out\npwd >> out\necho "$HOME $MODE" >> out\numask >> out\ncat >> out\necho "$0" >> out';
  await sh('mkdir -p /srv/work; chown owner /srv/work; usermod -aG ops owner');
  const args = {
    name: script,
    cwd: '/srv/work',
    runas: 'owner',
    env: [{ MODE: 'on' }],
    umask: '027',
    stdin: 'fed\n',
  };
  t.like(await plan(t, 'cmd.run', args), { status: 'would-change' });
  t.is((await run(args)).status, 'changed');
  t.is(
    await sh('cat /srv/work/out'),
    'owner\nowner ops\n/srv/work\n/home/owner on\n0027\nfed\n/dev/fd/3',
  );
  const strict = await fails('cmd.run', { name: 'false | cat\ntouch /srv/work/reached' });
  t.is(strict.message, 'Cannot run "false | cat": it exited with 1');
  t.is(await sh('ls /srv/work'), 'out');
  t.is((await run({ name: 'false | cat\ntrue', strict: false })).status, 'changed');
  t.is((await run({ name: 'false; true' })).status, 'changed');
  t.is((await run({ name: 'exit 7', success_retcodes: [0, 7] })).status, 'changed');
  const failing = await fails('cmd.run', { name: 'echo because >&2; exit 7' });
  t.regex(failing.output, /because/);
  const hidden = await fails('cmd.run', { name: 'echo hunter2 >&2; exit 7', hide_output: true });
  t.notRegex(JSON.stringify(hidden), /hunter2/);
  const slow = await fails('cmd.run', { name: 'sleep 60', timeout: 1 });
  t.is(slow.code, 'COMMAND_TIMEOUT');
  t.is((await run({ name: 'set -u; [ -n "$0" ]', shell: '/bin/sh' })).status, 'changed');
  const long = `: ${'x'.repeat(200_000)}\necho $((6 * 7)) > /srv/work/long; tr "\\0" " " < /proc/$$/cmdline > /srv/work/argv`;
  t.is((await run({ name: long })).status, 'changed');
  t.is(await sh('cat /srv/work/long /srv/work/argv'), '42\n/bin/bash -e -o pipefail /dev/fd/3');
  await isUnchanged(t, 'cmd.wait', { name: 'touch /srv/work/woken' });
  t.is(await sh('ls /srv/work/woken 2>/dev/null || echo none'), 'none');
  t.like(await states.notify('cmd.wait', { name: 'touch /srv/work/woken' }), {
    status: 'changed',
    reaction: 'ran',
  });
  t.is(await sh('ls /srv/work/woken'), '/srv/work/woken');
});

const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIJvZ1Xn2cYKpQyQWmY4rTtqYx7mGdYwQ3m1b7f0q3o9a';

onHost('ssh_auth.present and ssh_auth.absent', async (t) => {
  const line = `ssh-ed25519 ${KEY} dana@example.org`;
  const args = { name: line, user: 'owner', options: ['no-pty', 'from="10.0.0.*,::1"'] };
  await converges(t, 'ssh_auth.present', args);
  const keys = '/home/owner/.ssh/authorized_keys';
  t.is(await sh(`cat ${keys}`), `no-pty,from="10.0.0.*,::1" ${line}`);
  t.is(
    await sh(`stat --format="%a %U %G" ${keys} /home/owner/.ssh`),
    '600 owner owner\n700 owner owner',
  );
  const other = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ== \u05d0';
  await repairs(t, 'ssh_auth.present', args, {
    [`sed -i 's/no-pty,//' ${keys}`]: ['options'],
    [`sed -i 's/dana@example.org/eve/' ${keys}`]: ['comment'],
    [`echo '${other}' > ${keys}`]: ['comment', 'enc', 'options'],
    'rm -r /home/owner/.ssh': ['comment', 'enc', 'options'],
  });
  await sh(`printf '# mine\\n\\n${other}' >> ${keys}`);
  await isUnchanged(t, 'ssh_auth.present', args);
  await isUnchanged(t, 'ssh_auth.present', { name: KEY, enc: 'ssh-ed25519', user: 'owner' });
  await converges(t, 'ssh_auth.absent', { name: `ssh-ed25519 ${KEY}`, user: 'owner' });
  t.is(await sh(`cat ${keys}`), `# mine\n\n${other}`);
  const nobody = await fails('ssh_auth.present', { ...args, user: 'not-here' });
  t.is(nobody.message, 'Cannot write the keys of "not-here": there is no such user');
  await sh(`rm ${keys}`);
  await host.exec(['ln', '--symbolic', '/etc/shadow', keys], { user: 'owner' });
  const before = await sh('sha256sum /etc/shadow');
  await fails('ssh_auth.present', args);
  t.is(await sh('sha256sum /etc/shadow'), before);
});
