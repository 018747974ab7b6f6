import test from 'ava';
import { z } from 'zod';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { apply, attempt, openSite, publish, sh } from './installed-hosts.ts';
import type { Applied, ShownOutcome, Site } from './installed-hosts.ts';

/** Drift that somebody makes by hand on a real host, told from what the tree asks for; and a restart that is owed. */

const onHosts = await testOnHosts(test);
let site: Site;
let conductor: Host;
let appserver: Host;

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

const TOY = `
  mkdir -p /srv/repo /tmp/deb/DEBIAN
  printf 'Package: toy\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n' >/tmp/deb/DEBIAN/control
  dpkg-deb -Znone --root-owner-group --build /tmp/deb /srv/repo/toy.deb >/dev/null
  cd /srv/repo
  { dpkg-deb --field toy.deb; echo 'Filename: ./toy.deb'; echo "SHA256: $(sha256sum <toy.deb | cut -c1-64)"; stat --printf='Size: %s\\n\\n' toy.deb; } >Packages
  rm -rf /etc/apt/sources.list*
  mkdir -p /etc/apt/sources.list.d
  echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list.d/toys.list
  apt-get update --quiet=2`;

/** Does not start as long as /root/fails is there; writes a line with the digest of its settings. */
const UNIT = `[Service]
ExecStartPre=/bin/sh -c 'test ! -e /root/fails'
ExecStart=/bin/sh -c 'sha256sum </etc/paying.conf >>/root/paying-starts; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`;

function stateFile({ other, paying }: { other: number; paying: number }): string {
  return `/etc/drifting.conf:
  file.managed:
    contents: as the tree says
    mode: "0644"
/etc/other.conf:
  file.managed:
    contents: version ${other}
    mode: "0644"
someone:
  user.present:
    shell: /bin/bash
toy:
  pkg.installed: {}
/etc/systemd/system/paying.service:
  file.managed:
    source: paying.service
    mode: "0644"
/etc/paying.conf:
  file.managed:
    contents: version ${paying}
    mode: "0644"
paying:
  service.running:
    enable: true
    watch: [/etc/paying.conf]
`;
}

function outcome({ outcomes }: Pick<Applied, 'outcomes'>, id: string): ShownOutcome {
  const found = outcomes.find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no outcome of "${id}"`);
  return found;
}

function origins(applied: Applied): Record<string, string> {
  const changed = applied.outcomes.filter(({ origin }) => origin !== undefined);
  return Object.fromEntries(changed.map(({ id, origin }) => [id, origin?.kind ?? '']));
}

const BY_HAND = 'nameserver 10.9.8.7\n# put here in the night\n';

async function drift(): Promise<void> {
  await appserver.write('/etc/drifting.conf', BY_HAND);
  await sh(
    appserver,
    'usermod --shell /bin/sh someone; dpkg --purge toy >/dev/null; systemctl stop paying',
  );
}

onHosts('a site whose states are all as they should be', async (t) => {
  t.timeout(600_000);
  site = await openSite((line) => t.log(line));
  ({ conductor, appserver } = site);
  await sh(appserver, TOY);
  await publish(site, 'templates/paying.service', UNIT);
  await publish(site, 'states/drifting.yaml', stateFile({ other: 1, paying: 1 }));
  await publish(site, 'states/top.yaml', 'base:\n  appserver: [drifting]\n');
  const first = await apply(site, 'appserver');
  t.is(first.exitCode, 0);
  t.deepEqual([...new Set(Object.values(origins(first)))], ['intended']);
  const second = await apply(site, 'appserver');
  t.deepEqual(origins(second), {});
});

const MOVED = { '/etc/drifting.conf': 'drift', someone: 'drift', toy: 'drift', paying: 'drift' };

onHosts('what was changed by hand is told from what the tree asks for', async (t) => {
  t.timeout(300_000);
  await publish(site, 'states/drifting.yaml', stateFile({ other: 2, paying: 1 }));
  await drift();
  const plan = await apply(site, 'appserver', '--dry-run');
  const expected = { ...MOVED, '/etc/other.conf': 'intended' };
  t.deepEqual(origins(plan), expected);

  const { job, outcomes, targets, exitCode } = await apply(site, 'appserver');
  t.is(exitCode, 0);
  t.deepEqual(origins({ job, outcomes, targets, exitCode, revision: '' }), expected);
  t.like(targets[0]?.report?.counts, { changed: 5, drift: 4 });
  const { origin, before, diff } = outcome({ outcomes }, '/etc/drifting.conf');
  t.is(origin?.times, 1);
  t.regex(diff ?? '', /^-nameserver 10\.9\.8\.7$/mu);
  const kept = before?.kept ?? '';
  const shown = await appserver.exec(['minion', 'drift', 'show', kept.slice(0, 12)]);
  t.is(shown.stdout, BY_HAND);
  const stranger = ['setpriv', '--reuid=65534', '--clear-groups', 'minion', 'drift', 'show', kept];
  const refused = await attempt(appserver, ['/usr/bin/env', ...stranger]);
  t.not(refused.exitCode, 0);
  t.regex(refused.stderr, /it belongs to user 0, and this program is 65534/u);

  const { stdout } = await conductor.exec(['master', 'jobs', 'show', job]);
  t.is(stdout.split('\n').filter((line) => line.includes('  changed, drift')).length, 4);
  t.regex(stdout, /5 changed \(4 drift\)/u);
});

const driftAnswer = z.object({
  drifts: z.array(z.object({ minion: z.string(), id: z.string(), times: z.number() })),
});
const statusAnswer = z.object({
  minions: z.array(
    z.object({
      id: z.string(),
      drift: z.number(),
      lastRun: z.object({ owed: z.number() }).nullable(),
    }),
  ),
});

async function statusOfAppserver() {
  const { stdout } = await conductor.exec(['master', 'status', '--json']);
  return statusAnswer.parse(JSON.parse(stdout)).minions.find(({ id }) => id === 'appserver');
}

onHosts('the master says which hosts drift, where and how often', async (t) => {
  t.timeout(300_000);
  await appserver.write('/etc/drifting.conf', BY_HAND);
  t.is(outcome(await apply(site, 'appserver'), '/etc/drifting.conf').origin?.times, 2);
  const argv = ['master', 'drift', '--target', 'appserver', '--since', '1h', '--json'] as const;
  const { drifts } = driftAnswer.parse(JSON.parse((await conductor.exec(argv)).stdout));
  t.deepEqual(Object.fromEntries(drifts.map(({ id, times }) => [id, times])), {
    '/etc/drifting.conf': 2,
    someone: 1,
    toy: 1,
    paying: 1,
  });
  t.is((await statusOfAppserver())?.drift, 4);
  const none = await conductor.exec(['master', 'drift', '--target', 'conductor']);
  t.is(none.stdout.trim().split('\n').length, 1);
});

onHosts(
  'a restart that fails is owed, and made by the next run though it changes nothing',
  async (t) => {
    t.timeout(300_000);
    await publish(site, 'states/drifting.yaml', stateFile({ other: 2, paying: 2 }));
    await sh(appserver, 'touch /root/fails');
    const failed = await apply(site, 'appserver');
    t.is(failed.exitCode, 2);
    t.is(outcome(failed, '/etc/paying.conf').origin?.kind, 'intended');
    t.is(outcome(failed, 'paying').status, 'failed');
    t.deepEqual(failed.targets[0]?.report?.owed, ['service.running|paying|paying']);
    t.is((await statusOfAppserver())?.lastRun?.owed, 1);
    const owed = await sh(appserver, 'minion owed');
    t.regex(
      owed,
      /^service\.running paying: watch of file\.managed \/etc\/paying\.conf, since \d/u,
    );
    const { stdout } = await conductor.exec(['master', 'jobs', 'show', failed.job]);
    t.true(stdout.includes(`owed ${owed}`), stdout);

    // Somebody helps: now nothing differs any more, and the restart is owed all the same.
    await sh(appserver, 'rm /root/fails; systemctl reset-failed paying; systemctl start paying');
    const before = await sh(appserver, 'systemctl show -P MainPID paying');
    const paid = await apply(site, 'appserver');
    t.deepEqual(origins(paid), { paying: 'follows' });
    t.is(outcome(paid, 'paying').change, undefined);
    t.regex(outcome(paid, 'paying').reaction ?? '', /restarted.*\(owed since /u);
    t.not(await sh(appserver, 'systemctl show -P MainPID paying'), before);
    t.is(await sh(appserver, 'minion owed'), 'nothing is owed');
    t.deepEqual(origins(await apply(site, 'appserver')), {});
  },
);
