import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { z } from 'zod';
import { machineSources, parseLines, parseStanzas } from './apt-sources.ts';
import { run } from './command.ts';
import { HostError } from './host-error.ts';
import type { Host } from './host.ts';
import { openFleet } from './hosts.ts';
import type { Fleet } from './hosts.ts';
import { mountsBelow } from './mounts.ts';
import { isForwarding, pickPrefix } from './network.ts';
import { testOnHosts } from './on-hosts.ts';
import { checkPrerequisites, describeMissing } from './prerequisites.ts';
import { identify, isAlive } from './processes.ts';
import { readFleets, readForwardingBefore } from './records.ts';

const onHosts = await testOnHosts(test);
let before: Awaited<ReturnType<typeof machine>>;
let fleet: Fleet;
let conductor: Host;
let appserver: Host;

test.after.always(async () => {
  await (fleet as Fleet | undefined)?.close(); // unset if the first test was skipped or has failed
});

test('reads mirrors from both forms of apt sources, and only those of Debian', (t) => {
  const lines =
    'deb [signed-by=/x.gpg] http://mirror/debian bookworm main contrib # why\n# deb http://no/ x main\n';
  t.deepEqual(parseLines(lines), [
    { uri: 'http://mirror/debian', suite: 'bookworm', components: ['main', 'contrib'] },
  ]);
  const stanzas = [
    'Types: deb deb-src\nURIs: http://mirror/debian\nSuites: trixie\n trixie-updates\nComponents: main\n',
    'Types: deb\nURIs: http://off/debian\nSuites: trixie\nComponents: main\nEnabled: no\n',
    '# about this\nTypes: deb\nURIs: http://other/\nSuites: nodistro\nComponents: main\n',
  ].join('\n');
  t.deepEqual(
    parseStanzas(stanzas).map(({ uri, suite }) => `${uri} ${suite}`),
    [
      'http://mirror/debian trixie',
      'http://mirror/debian trixie-updates',
      'http://other/ nodistro',
    ],
  );
  const etc = mkdtempSync(join(tmpdir(), 'apt-'));
  writeFileSync(join(etc, 'sources.list'), 'deb http://mirror/security trixie-security main\n');
  t.deepEqual(machineSources('trixie', etc), [
    { uri: 'http://mirror/security', suite: 'bookworm-security', components: ['main'] },
  ]);
  rmSync(etc, { recursive: true });
});

test('picks a private range that overlaps nothing this machine knows', (t) => {
  t.is(pickPrefix([]), '10.213.0');
  t.is(pickPrefix(['10.213.0.0/24', '10.213.1.77', '10.213.2.128/25']), '10.213.3');
  t.is(pickPrefix(['10.213.0.0/16']), '10.214.0');
  t.is(pickPrefix(['10.0.0.0/8']), '172.29.0');
  t.throws(() => pickPrefix(['0.0.0.0/0']), { instanceOf: HostError });
});

test('tells a process from a later one with its number', (t) => {
  const self = identify();
  t.truthy(self);
  if (self === null) return;
  t.true(isAlive(self));
  t.false(isAlive({ ...self, startTime: '1' }));
  t.false(isAlive({ ...self, bootId: 'another' }));
});

test('names everything that is missing at once, with the package that brings it', async (t) => {
  const missing = await checkPrerequisites();
  t.true(missing.every((thing) => describeMissing(thing).length > 0));
  t.is(
    describeMissing({ what: 'the program nft', debianPackage: 'nftables' }),
    'the program nft (Debian package nftables)',
  );
});

onHosts('boots two hosts that are whole systems and reach each other by name', async (t) => {
  before = await machine();
  fleet = await openFleet({ log: t.log });
  [conductor, appserver] = await Promise.all([
    fleet.boot({ name: 'conductor', image: 'base' }),
    fleet.boot({ name: 'appserver', image: 'full' }),
  ]);
  for (const host of [conductor, appserver]) {
    const state = await host.exec(['systemctl', 'is-system-running']);
    t.is(state.stdout, 'running\n');
    t.is((await host.exec(['hostname'])).stdout, `${host.name}\n`);
    t.is((await host.exec(['cat', '/proc/1/comm'])).stdout, 'systemd\n');
  }
  t.true(await reaches(conductor, 'appserver'));
  t.true(await reaches(appserver, 'conductor'));
  t.true(await reaches(appserver, fleet.gateway));
  t.not(await conductor.read('/etc/machine-id'), await appserver.read('/etc/machine-id'));
});

onHosts('runs the services that Debian enables, with their data on its own disk', async (t) => {
  const services = ['nginx', 'postgresql@15-main', 'mariadb', 'redis-server', 'supervisor', 'cron'];
  for (const service of services) {
    t.is((await appserver.exec(['systemctl', 'is-active', service])).stdout, 'active\n', service);
  }
  t.is(
    (await appserver.exec(['psql', '-Atc', 'select 6 * 7'], { user: 'postgres' })).stdout,
    '42\n',
  );
  t.is((await appserver.exec(['mariadb', '-Ne', 'select 6 * 7'])).stdout, '42\n');
  const page = await conductor.exec([
    'bash',
    '-c',
    'exec 3<>/dev/tcp/appserver/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3',
  ]);
  t.regex(page.stdout, /200 OK[\s\S]*nginx/);
});

onHosts('installs a package with apt from the mirror of this machine', async (t) => {
  await conductor.exec(['apt-get', '--quiet', 'update']);
  await conductor.exec(['apt-get', '--quiet', '--yes', 'install', 'hello']);
  t.is((await conductor.exec(['hello'])).stdout, 'Hello, world!\n');
});

onHosts('downloads with pip where this machine can', async (t) => {
  const pip = ['pip', 'download', '--quiet', '--no-deps', '--dest', '/tmp/wheels', 'idna'] as const;
  const here = mkdtempSync(join(tmpdir(), 'pip-'));
  const onMachine = await run(
    ['python3', '-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', here, 'idna'],
    {
      allowFailure: true,
    },
  );
  rmSync(here, { recursive: true });
  const onHost = await appserver.exec(pip, { allowFailure: true });
  if (onMachine.exitCode === 0) t.is(onHost.exitCode, 0, onHost.stderr);
  else t.log(`this machine itself cannot: pip on the host exited with ${onHost.exitCode}`);
  t.regex(`${onHost.exitCode} ${onHost.stderr}`, /^0 |No matching distribution|Could not/);
});

onHosts(
  'runs programs as a user, in a directory, with variables and input, and says how they ended',
  async (t) => {
    const seen = await appserver.exec(
      ['sh', '-c', 'id -un; pwd; echo "$HOME $COLOUR"; cat; echo aside >&2'],
      {
        user: 'postgres',
        cwd: '/var/lib',
        env: { COLOUR: 'blue' },
        input: 'handed in',
      },
    );
    t.deepEqual(seen, {
      exitCode: 0,
      stdout: 'postgres\n/var/lib\n/var/lib/postgresql blue\nhanded in',
      stderr: 'aside\n',
    });
    t.is((await appserver.exec(['sh', '-c', 'exit 3'], { allowFailure: true })).exitCode, 3);
    await t.throwsAsync(async () => appserver.exec(['ls', '/none']), {
      instanceOf: HostError,
      message: /"appserver": exit code 2\nls: cannot access '\/none'/,
    });
  },
);

onHosts('hands on what a program prints while it still runs', async (t) => {
  const pieces: string[] = [];
  const script = 'echo grün; sleep 0.3; echo done >&2';
  await conductor.exec(['sh', '-c', script], { onOutput: (text) => pieces.push(text) });
  t.deepEqual(pieces, ['grün\n', 'done\n']);
});

onHosts('kills a program that takes too long, with all it has started', async (t) => {
  const stuck = async () => conductor.exec(['sh', '-c', 'sleep 4242 & wait'], { timeoutMs: 300 });
  await t.throwsAsync(stuck, { message: /stopped after 300 ms/ });
  const left = await conductor.exec(['pgrep', '--full', 'sleep 4242'], { allowFailure: true });
  t.is(left.stdout, '');
});

onHosts('returns when a program has ended, though something it started goes on', async (t) => {
  const started = Date.now();
  await conductor.exec(['sh', '-c', 'sleep 30 & echo started']);
  t.true(Date.now() - started < 5000);
});

onHosts('writes, reads and copies files', async (t) => {
  await conductor.exec(['ln', '-s', '/etc/passwd', '/root/link']);
  await conductor.write('/root/link', 'in its place');
  t.is(await conductor.read('/root/link'), 'in its place');
  t.regex(await conductor.read('/etc/passwd'), /^root:/);
  await conductor.write('/srv/deep/secret', Buffer.from('bytes'), 0o600);
  t.is((await conductor.exec(['stat', '-c', '%a %U', '/srv/deep/secret'])).stdout, '600 root\n');
  await t.throwsAsync(async () => conductor.read('/srv/none'), { message: /No such file/ });
  const here = mkdtempSync(join(tmpdir(), 'copy-'));
  writeFileSync(join(here, 'one'), '1', { mode: 0o755 });
  await conductor.copyIn(here, '/srv/tree');
  await conductor.copyIn(join(here, 'one'), '/srv/uno');
  rmSync(here, { recursive: true });
  t.is(await conductor.read('/srv/tree/one'), '1');
  t.is((await conductor.exec(['stat', '-c', '%a', '/srv/uno'])).stdout, '755\n');
});

onHosts('cuts a host off without telling it, and mends it', async (t) => {
  await appserver.cut();
  t.false(await reaches(conductor, 'appserver'));
  t.false(await reaches(appserver, fleet.gateway));
  t.regex(
    (await appserver.exec(['ip', '-4', 'address', 'show', 'host0'])).stdout,
    new RegExp(appserver.address),
  );
  await appserver.mend();
  t.true(await reaches(conductor, 'appserver'));
});

onHosts('freezes a host and lets it go on', async (t) => {
  await appserver.freeze();
  const late = async () => appserver.exec(['true'], { timeoutMs: 500 });
  await t.throwsAsync(late, { message: /stopped after 500 ms/ });
  await appserver.thaw();
  t.is((await appserver.exec(['true'])).exitCode, 0);
});

onHosts('keeps files over a shutdown and over a power failure', async (t) => {
  const { address, leader } = appserver;
  await appserver.write('/srv/kept', 'kept');
  await appserver.stop();
  t.false(appserver.isOn);
  await t.throwsAsync(async () => appserver.exec(['true']), { message: /it is off/ });
  await appserver.bootAgain();
  t.not(appserver.leader, leader);
  t.is(await appserver.read('/srv/kept'), 'kept');
  await appserver.powerOff();
  t.false(await reaches(conductor, address));
  await appserver.bootAgain();
  t.is(await appserver.read('/srv/kept'), 'kept');
  t.is(
    (await appserver.exec(['psql', '-Atc', 'select 6 * 7'], { user: 'postgres' })).stdout,
    '42\n',
  );
  t.true(await reaches(conductor, 'appserver'));
});

onHosts('reboots, also by itself', async (t) => {
  const { leader } = appserver;
  await appserver.write('/srv/kept', 'over a reboot');
  await appserver.reboot();
  t.not(appserver.leader, leader);
  t.is(await appserver.read('/srv/kept'), 'over a reboot');
  t.true(await reaches(conductor, 'appserver'));
});

onHosts('boots again though one of its services fails', async (t) => {
  await appserver.write('/etc/nginx/conf.d/broken.conf', 'no such directive\n');
  await appserver.powerOff();
  await appserver.bootAgain();
  t.is((await appserver.exec(['systemctl', 'is-failed', 'nginx'])).stdout, 'failed\n');
});

onHosts('adds a host later and removes it without a trace', async (t) => {
  const third = await fleet.boot({ name: 'database', image: 'base' });
  t.true(await reaches(conductor, 'database'));
  await t.throwsAsync(async () => fleet.boot({ name: 'database', image: 'base' }), {
    message: /has a host of that name/,
  });
  await t.throwsAsync(async () => fleet.boot({ name: 'No Name', image: 'base' }), {
    message: /not a host name/,
  });
  const { root, leader } = third;
  await third.destroy();
  t.false(existsSync(root));
  t.is(identify(leader), null);
  t.notRegex(await conductor.read('/etc/hosts'), /database/);
});

onHosts('keeps two fleets apart', async (t) => {
  const other = await openFleet();
  const twin = await other.boot({ name: 'conductor', image: 'base' });
  t.not(other.gateway, fleet.gateway);
  t.not(twin.leader, conductor.leader);
  await twin.write('/srv/mine', 'mine');
  await t.throwsAsync(async () => conductor.read('/srv/mine'), { message: /No such file/ });
  const { root } = twin;
  await other.close();
  t.false(existsSync(root));
  t.is((await conductor.exec(['true'])).exitCode, 0);
  t.true(await reaches(conductor, fleet.gateway));
});

onHosts('clears away what a killed owner has left', async (t) => {
  const owned = await ownedElsewhere('SIGKILL');
  t.not(identify(owned.leader), null);
  const next = await openFleet();
  t.deepEqual(traces(owned), []);
  await next.close();
});

onHosts('clears away itself when its owner is terminated', async (t) => {
  const owned = await ownedElsewhere('SIGTERM');
  t.deepEqual(traces(owned), []);
});

onHosts('leaves the machine as it was', async (t) => {
  t.deepEqual(await machine(), before, 'while hosts run');
  const { id } = fleet;
  const { leader, root } = conductor;
  await fleet.close();
  t.deepEqual(traces({ fleet: id, leader, root }), []);
  t.deepEqual(await machine(), before, 'after they are gone');
});

async function reaches(host: Host, target: string): Promise<boolean> {
  const ping = ['ping', '-c', '1', '-W', '1', target] as const;
  return (await host.exec(ping, { allowFailure: true })).exitCode === 0;
}

const ownedFleet = z.strictObject({ fleet: z.string(), leader: z.int(), root: z.string() });
type OwnedFleet = z.infer<typeof ownedFleet>;

/** Has another process open a fleet, and ends that process by the given signal once its host is up. */
async function ownedElsewhere(signal: NodeJS.Signals): Promise<OwnedFleet> {
  const program = import.meta.filename.replace('hosts.test', 'owner');
  const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(owner, 'exit');
  const [line] = await once(createInterface(owner.stdout), 'line');
  const owned = ownedFleet.parse(JSON.parse(String(line)));
  owner.kill(signal);
  await ended;
  return owned;
}

/** What is still there of a fleet. */
function traces({ fleet: id, leader, root }: OwnedFleet): string[] {
  const cgroups = readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' });
  return [
    ...(identify(leader) === null ? [] : [`process ${leader}`]),
    ...mountsBelow(join(root, '..', '..')),
    ...readdirSync('/sys/class/net').filter((name) => name.includes(`cnd-${id}`)),
    ...cgroups.filter((name) => name.includes(`cnd-${id}`)),
    ...readFleets()
      .filter((fleet) => fleet.id === id)
      .map(() => `the record of ${id}`),
    ...(existsSync(join(root, '..', '..')) ? [`the files of ${id}`] : []),
  ];
}

/** What hosts must never change on this machine. Rules of other fleets come and go beside ours. */
async function machine(): Promise<Record<string, unknown>> {
  const rules = await run(['nft', 'list', 'ruleset'], { allowFailure: true });
  const listening = await run(['ss', '--no-header', '--listening', '--tcp', '--udp', '--numeric'], {
    allowFailure: true,
  });
  return {
    rules: rules.stdout.replaceAll(/table ip conductor_[0-9a-f]{4} \{\n[\s\S]*?\n\}\n/g, ''),
    accounts: ['passwd', 'group', 'shadow'].map((name) => digest(readFileSync(join('/etc', name)))),
    etc: digest(
      readdirSync('/etc', { recursive: true, encoding: 'utf8' }).map((name) =>
        describe(join('/etc', name)),
      ),
    ),
    ports: listening.stdout
      .split('\n')
      .map((line) => line.split(/\s+/)[4] ?? '')
      .filter(isFixedPort)
      .toSorted(),
    forwarded: readForwardingBefore() ?? isForwarding(),
  };
}

function describe(path: string): string {
  if (!existsSync(path)) return `${path} dangling`;
  const { mode, uid, size, mtimeMs } = statSync(path);
  return `${path} ${mode} ${uid} ${size} ${mtimeMs}`;
}

/** Ports above come and go with whatever else runs here. */
function isFixedPort(address: string): boolean {
  return Number(address.split(':').at(-1)) < 32_768;
}

function digest(content: Uint8Array | readonly string[]): string {
  const text = content instanceof Uint8Array ? content : content.toSorted().join('\n');
  return createHash('sha256').update(text).digest('hex');
}
