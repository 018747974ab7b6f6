import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import type { Fleet } from '../hosts/hosts.ts';
import { withLock } from '../hosts/lock.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { sh } from './installed-hosts.ts';
import { ensurePackage } from './package.ts';

/** The Debian package: what it puts on a host, and that it leaves no trace. */

const execute = promisify(execFile);
const onHosts = await testOnHosts(test);
let fleet: Fleet | null = null;
let host: Host;
let before = '';

test.after.always(async () => fleet?.close());

/** Everything that a package could leave behind. */
const TRACES =
  'find /etc /usr /var/lib /srv /opt -xdev -not -path "/var/lib/dpkg/*" -not -path "/var/lib/apt/*" -not -path "/var/lib/systemd/*" -not -name "*cache*" | sort; cut -d: -f1 /etc/passwd /etc/group';

const INSTALL =
  'DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --reinstall /root/conductor.deb >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }';

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Builds everything again; the digest of what comes out. */
async function makeAnew(): Promise<string> {
  await execute('npm', ['run', '--silent', 'build']);
  const { stdout } = await execute('npm', ['run', '--silent', 'package']);
  return digest(stdout.split(' ')[0] ?? '');
}

onHosts('the same sources give the same package', async (t) => {
  t.timeout(300_000);
  const [first, second] = await withLock('package', async () => [
    await makeAnew(),
    await makeAnew(),
  ]);
  t.is(first, second);
});

onHosts('it installs on a bare Debian', async (t) => {
  t.timeout(600_000);
  fleet = await openFleet({ log: t.log });
  host = await fleet.boot({ name: 'packaged', image: 'base' });
  await sh(host, 'systemctl mask --now apt-daily.timer apt-daily-upgrade.timer 2>&1');
  await host.copyIn(await ensurePackage(), '/root/conductor.deb');
  before = await sh(host, TRACES);
  await sh(host, INSTALL);
  t.is(await sh(host, 'master --version'), await sh(host, 'conductor-minion --version'));
  t.is(
    await sh(host, 'readlink /usr/bin/master /usr/bin/minion'),
    'conductor-master\nconductor-minion',
  );
  t.is(
    await sh(host, 'stat --format="%U:%G %a" /var/lib/conductor/master'),
    'conductor:conductor 700',
  );
  t.is(await sh(host, 'stat --format="%U:%G %a" /var/lib/conductor/minion'), 'root:root 700');
  t.is(
    await sh(host, 'getent passwd conductor | cut -d: -f6,7'),
    '/var/lib/conductor:/usr/sbin/nologin',
  );
});

onHosts('nothing is started before it is configured', async (t) => {
  for (const unit of ['conductor-master', 'conductor-minion']) {
    t.is(await sh(host, `systemctl is-active ${unit} || true`), 'inactive');
    t.is(await sh(host, `systemctl is-enabled ${unit} || true`), 'disabled');
  }
});

onHosts('its units are sound, and the master is well locked up', async (t) => {
  const units = 'conductor-master.service conductor-minion.service';
  t.is(await sh(host, `systemd-analyze verify ${units} 2>&1`), '');
  const analysis = await sh(host, 'systemd-analyze security --no-pager conductor-master.service');
  const exposure = Number(/exposure level .*: (\d+\.\d+)/.exec(analysis)?.[1]);
  t.true(exposure <= 2, `exposure ${exposure}`);
});

onHosts(
  'the master starts as its own user, and again after the package is installed anew',
  async (t) => {
    await sh(
      host,
      'master init 2>&1; systemctl enable --now --quiet conductor-master; master status',
    );
    t.is(
      await sh(host, 'ps -o user= -p $(systemctl show --value -p MainPID conductor-master)'),
      'conductor',
    );
    const pid = 'systemctl show --value -p MainPID conductor-master';
    const first = await sh(host, pid);
    await sh(host, INSTALL);
    t.not(await sh(host, pid), first);
    t.is(
      await sh(host, 'systemctl is-active conductor-master; master status >/dev/null; echo $?'),
      'active\n0',
    );
  },
);

onHosts('what an administrator wrote into its configuration stays', async (t) => {
  await sh(host, 'echo "log_level: warn" >>/etc/conductor/master.yaml');
  await sh(host, INSTALL);
  t.regex(await sh(host, 'cat /etc/conductor/master.yaml'), /^log_level: warn$/m);
});

onHosts(
  'removing it keeps configuration and keys; installing it brings the same master back',
  async (t) => {
    const fingerprint = await sh(host, 'master init');
    await sh(host, 'apt-get remove --yes --quiet=2 conductor 2>&1');
    t.is(await sh(host, 'systemctl is-active conductor-master || true'), 'inactive');
    await sh(host, `${INSTALL}; systemctl start conductor-master`);
    t.is(await sh(host, 'master init'), fingerprint);
  },
);

onHosts('purging it leaves nothing but the tree', async (t) => {
  await sh(host, 'apt-get purge --yes --quiet=2 conductor 2>&1');
  const left = new Set((await sh(host, TRACES)).split('\n'));
  for (const trace of before.split('\n')) left.delete(trace);
  t.deepEqual(
    [...left].filter((path) => !path.startsWith('/srv/conductor')),
    [],
  );
  t.is(await sh(host, 'ls /srv/conductor'), 'pillars\nstates\ntemplates');
});
