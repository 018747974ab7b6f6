import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { apply, beginApply, openSite, publish, sh, targetOf, until } from './installed-hosts.ts';
import type { Site } from './installed-hosts.ts';

/** How runs end: by their time, by a cancel, by a kill; what is left of them then; and how they wait for each other. */

const onHosts = await testOnHosts(test);
let site: Site;
let conductor: Host;
let appserver: Host;

const STATE = '/var/lib/conductor/minion';

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

/** A command that ignores TERM, holds its output open and hides a child that does the same from everybody. */
const STUBBORN = `#!/bin/bash
trap '' TERM HUP INT
(setsid bash -c "trap '' TERM HUP INT; while :; do sleep 0.2; done; : stubborn-child" &)
echo $$ >/root/at/stubborn
while :; do sleep 0.2; done
: stubborn
`;

/** A daemon as admins start them by hand: it forks twice and its starter succeeds. */
const DAEMON = `#!/bin/bash
(setsid bash -c "while :; do sleep 0.2; done; : left-daemon" >/dev/null 2>&1 &)
`;

const states = (stubborn: string): string => `daemon:
  cmd.run:
    name: /root/daemon
    unless: pgrep -f '[l]eft-daemon'
conf:
  file.managed:
    name: /etc/ends.conf
    contents: "{{ pillar.ends }}"
    makedirs: true
stubborn:
  cmd.run:
    name: /root/stubborn
    onlyif: test -e /root/gate/stubborn
    always: true
${stubborn}
told:
  cmd.run:
    name: echo told >>/root/told
    onchanges: [conf]
`;

/** How many processes of the stubborn command, or of the daemon, there are. */
async function count(pattern: string): Promise<number> {
  return Number(await sh(appserver, `pgrep -fc '${pattern}' || true`));
}

let version = 0;

async function askForNew(stubborn = ''): Promise<void> {
  version += 1;
  await publish(site, 'pillars/web.yaml', `ends: version ${version}\n`);
  await publish(site, 'states/web.yaml', `# ${version}\n${states(stubborn)}`);
  await sh(appserver, 'rm -f /root/at/stubborn; touch /root/gate/stubborn');
}

async function stubbornRuns(): Promise<void> {
  await until('the stubborn command', 60, async () => {
    return (await sh(appserver, 'ls /root/at')).includes('stubborn');
  });
}

async function ended(job: string, seconds: number): Promise<string> {
  const isOver = async () =>
    !['queued', 'delivered', 'running'].includes((await targetOf(site, job)).state);
  await until(`job ${job} to end`, seconds, isOver);
  return (await targetOf(site, job)).state;
}

async function nothingIsLeft(t: ExecutionContext): Promise<void> {
  t.is(await count('[s]tubborn'), 0);
  t.is(await sh(appserver, 'find /sys/fs/cgroup -name "conductor-run-*" | wc -l'), '0');
  t.is(await count('[l]eft-daemon'), 1, 'the daemon of a command that succeeded');
  t.is(await sh(appserver, `ls ${STATE} | grep -c run.json || true`), '0');
}

onHosts('two hosts, and a daemon that a command starts and leaves', async (t) => {
  t.timeout(600_000);
  site = await openSite((line) => t.log(line));
  ({ conductor, appserver } = site);
  await appserver.write('/root/stubborn', STUBBORN);
  await appserver.write('/root/daemon', DAEMON);
  await sh(appserver, 'chmod +x /root/stubborn /root/daemon');
  await askForNew();
  await sh(appserver, 'rm /root/gate/stubborn');
  const { exitCode } = await apply(site, 'appserver');
  t.is(exitCode, 0);
  await nothingIsLeft(t);
  const status = await sh(appserver, 'minion status');
  t.regex(status, /^cgroup: \/sys\/fs\/cgroup\/.*\/conductor-minion\.service$/mu);
  t.regex(status, /^run: none$/mu);
});

onHosts('a command that ignores TERM and hides a child does not survive its time', async (t) => {
  t.timeout(240_000);
  await askForNew('    timeout: 2');
  const { exitCode, outcomes } = await apply(site, 'appserver');
  t.is(exitCode, 2);
  const slow = outcomes.find(({ id }) => id === 'stubborn');
  t.like(slow, { status: 'failed', error: { code: 'COMMAND_TIMEOUT' } });
  t.is(outcomes.find(({ id }) => id === 'told')?.status, 'changed');
  await nothingIsLeft(t);
});

onHosts('a run whose time is over says where it was and what is owed', async (t) => {
  t.timeout(240_000);
  await askForNew();
  const { exitCode, targets } = await apply(site, 'appserver', '--timeout', '15s');
  t.is(exitCode, 3);
  t.is(targets[0]?.state, 'timeout');
  t.is(targets[0]?.report?.owed.length, 1);
  t.regex(targets[0]?.error?.message ?? '', /15 s at state \d+ of \d+, "stubborn" \(cmd\.run\)$/u);
  await nothingIsLeft(t);
});

onHosts('a cancel ends a run within seconds, and all that it has started', async (t) => {
  t.timeout(240_000);
  await askForNew();
  const job = await beginApply(site, 'appserver');
  await stubbornRuns();
  await conductor.exec(['master', 'jobs', 'cancel', job]);
  t.is(await ended(job, 60), 'cancelled');
  const { error } = await targetOf(site, job);
  t.regex(
    error?.message ?? '',
    /cancelled by an operator at state \d+ of \d+, "stubborn" \(cmd\.run\)$/u,
  );
  await nothingIsLeft(t);
});

onHosts(
  'the service stopped in mid-run leaves the run alone; started again it tells',
  async (t) => {
    t.timeout(240_000);
    await askForNew();
    const job = await beginApply(site, 'appserver');
    await stubbornRuns();
    await sh(
      appserver,
      'systemctl restart conductor-minion; sleep 1; systemctl stop conductor-minion',
    );
    t.true((await count('[s]tubborn')) >= 2);
    t.regex(
      await sh(appserver, 'minion status || true'),
      new RegExp(`^run: job ${job} \\(job, pid`, 'mu'),
    );
    await sh(appserver, 'systemctl start conductor-minion');
    await conductor.exec(['master', 'jobs', 'cancel', job]);
    t.is(await ended(job, 90), 'cancelled');
    await nothingIsLeft(t);
  },
);

onHosts(
  'agent and run killed together: what they had started is gone before the run is done again',
  async (t) => {
    t.timeout(240_000);
    await askForNew();
    const job = await beginApply(site, 'appserver');
    await stubbornRuns();
    const before = await sh(appserver, 'cat /root/at/stubborn');
    const run = `grep -o '"pid":[0-9]*' ${STATE}/jobs/${job}.json | cut -d: -f2`;
    await sh(
      appserver,
      `rm /root/gate/stubborn; kill -9 $(${run}) $(systemctl show -P MainPID conductor-minion)`,
    );
    t.is(await ended(job, 90), 'failed');
    const { stdout } = await conductor.exec(['master', 'jobs', 'show', job]);
    t.regex(stdout, /Cannot tell whether "stubborn" is whole: it was begun at .* and killed/u);
    t.is(await sh(appserver, `test -e /proc/${before} && echo there || true`), '');
    await nothingIsLeft(t);
  },
);

onHosts(
  'a local run that is killed leaves nothing after the next one; its end by HUP neither',
  async (t) => {
    t.timeout(240_000);
    await askForNew();
    const tree = '/root/local';
    await sh(appserver, `rm -rf ${tree}; mkdir -p ${tree}/states ${tree}/pillars`);
    await appserver.write(`${tree}/states/top.yaml`, 'base:\n  "*": [web]\n');
    await appserver.write(`${tree}/pillars/top.yaml`, 'base:\n  "*": [ends]\n');
    await appserver.write(`${tree}/pillars/ends.yaml`, 'ends: local\n');
    await appserver.write(`${tree}/states/web.yaml`, states(''));
    const begin = `setsid minion apply --tree ${tree} >/root/local.log 2>&1 & echo $!`;
    const local = await sh(appserver, begin);
    await stubbornRuns();
    t.regex(
      await sh(appserver, 'minion status'),
      new RegExp(`^run: job .* \\(local, pid ${local}`, 'mu'),
    );
    // Whoever comes now waits, and says for whom.
    const job = await beginApply(site, 'appserver');
    await until('the wait to be seen', 60, async () => {
      const { stdout } = await conductor.exec(['master', 'jobs', 'show', job]);
      return stdout.includes(`(local, pid ${local}, since `);
    });
    await sh(appserver, `rm /root/gate/stubborn; kill -9 ${local}`);
    t.is(await ended(job, 90), 'changed');
    await nothingIsLeft(t);

    await sh(appserver, 'rm -f /root/at/stubborn; touch /root/gate/stubborn');
    const second = await sh(appserver, begin);
    await stubbornRuns();
    await sh(appserver, `kill -HUP ${second}; while test -e /proc/${second}; do sleep 0.2; done`);
    t.regex(await appserver.read('/root/local.log'), /cancelled/u);
    await nothingIsLeft(t);
  },
);

onHosts('fifty runs at once: never two at a time, and one result each', async (t) => {
  t.timeout(840_000);
  await sh(appserver, 'rm -f /root/gate/stubborn /root/both; rm -rf /root/alone');
  const alone = `alone:
  cmd.run:
    name: 'mkdir /root/alone || echo both >>/root/both; sleep 0.3; rmdir /root/alone; echo one >>/root/ran'
    always: true
`;
  await publish(site, 'states/web.yaml', alone);
  await sh(appserver, 'rm -f /root/ran');
  await appserver.write('/root/local/states/web.yaml', alone);
  const jobs = await Promise.all(
    Array.from({ length: 20 }, async () => beginApply(site, 'appserver')),
  );
  const others = `for n in $(seq 20); do (minion apply --tree /root/local --json >/root/out-$n 2>/dev/null; echo $? >/root/code-$n) & done
for n in $(seq 10); do (minion agent --refresh-now --json >/root/refresh-$n 2>/dev/null || true) & done; wait`;
  await sh(appserver, others);
  for (const job of jobs) t.is(await ended(job, 300), 'changed');
  t.is(await sh(appserver, 'cat /root/code-* | sort | uniq -c | tr -s " "'), '20 0');
  t.is(await sh(appserver, `grep -l '"status":"changed"' /root/out-* | wc -l`), '20');
  t.is(await sh(appserver, `cat /root/out-* | grep -o '"job":"[^"]*"' | sort -u | wc -l`), '20');
  t.is(await sh(appserver, 'test -e /root/both && echo both || true'), '');
  const refreshes = await sh(
    appserver,
    `cat /root/refresh-* | grep -o '"job":"[^"]*"' | sort -u | wc -l`,
  );
  t.is(await sh(appserver, 'wc -l </root/ran'), String(40 + Number(refreshes)));
  t.log(`${refreshes} refreshes besides`);
  await nothingIsLeft(t);
});

onHosts('what a local run makes does not depend on the umask of who asks', async (t) => {
  await appserver.write(
    '/root/local/states/web.yaml',
    'made:\n  cmd.run: {name: touch /root/masked, creates: /root/masked}\n',
  );
  await sh(appserver, '(umask 077; minion apply --tree /root/local)');
  t.is(await sh(appserver, 'stat --format=%a /root/masked'), '644');
});

/** A unit whose daemon starts only with a configuration that does not say `broken`. */
const MENDABLE = (word: string): string => `daemon.conf:
  file.managed:
    name: /etc/mendable.conf
    contents: ${word}
mendable.service:
  systemd.unit:
    contents: |
      [Service]
      ExecStart=/bin/bash -c '! grep -q broken /etc/mendable.conf && exec sleep infinity'
mendable:
  service.running:
    require: [{systemd: mendable.service}]
    watch: [{file: daemon.conf}]
`;

onHosts('a service that does not come up on a new file gets the old one back', async (t) => {
  t.timeout(240_000);
  await publish(site, 'states/web.yaml', MENDABLE('fine'));
  t.is((await apply(site, 'appserver')).exitCode, 0);
  await publish(site, 'states/web.yaml', MENDABLE('broken'));
  const { exitCode, outcomes, targets } = await apply(site, 'appserver');
  t.is(exitCode, 2);
  const { error } = outcomes.find(({ id }) => id === 'mendable') ?? {};
  t.regex(error?.message ?? '', /the old "\/etc\/mendable\.conf" is back, and it is up on that/u);
  t.deepEqual(targets[0]?.report?.owed, []);
  t.is(await appserver.read('/etc/mendable.conf'), 'fine\n');
  t.is(await sh(appserver, 'systemctl is-active mendable'), 'active');
});
