import test from 'ava';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { TARGET_STATES } from '../../protocol/messages.ts';
import { FAST_FAULTS } from '../faults/all.ts';
import { inflict } from '../faults/fault.ts';
import { randomFrom } from '../faults/random.ts';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import {
  apply,
  attempt,
  beginApply,
  openSite,
  publish,
  sh,
  statusOf,
  targetOf,
  until,
  untilOnline,
} from './installed-hosts.ts';
import type { Site } from './installed-hosts.ts';

/**
 * What is killed, cut off or switched off in the middle of an apply. Each time the tree asks for new settings of a
 * service, so that a restart is owed from the moment the settings are written until the service runs on them.
 */

const onHosts = await testOnHosts(test);
let site: Site;
let conductor: Host;
let appserver: Host;
let version = 1;

const ENDS: ReadonlySet<string> = new Set(TARGET_STATES.slice(3));
const STATE = '/var/lib/conductor/minion';

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

/** Where `states/web.yaml` lets a run be stopped: before any effect, with the restart owed, after all states. */
type Gate = 'first' | 'owed' | 'last';

async function shut(gate: Gate): Promise<void> {
  await sh(appserver, `rm -f /root/at/${gate}; touch /root/gate/${gate}`);
}

async function arrival(gate: Gate): Promise<void> {
  await until(`a run to come to the gate "${gate}"`, 60, async () => {
    return (await sh(appserver, `ls /root/at`)).split('\n').includes(gate);
  });
  await sh(appserver, `rm /root/at/${gate}`);
}

async function open(gate: Gate): Promise<void> {
  await sh(appserver, `rm -f /root/gate/${gate}`);
}

/** New settings, and a job that brings them to the host and is held at a gate. */
async function holdAt(gate: Gate, title?: string): Promise<{ job: string; starts: number }> {
  const starts = await countStarts();
  await askForNewSettings(title);
  await shut(gate);
  const job = await beginApply(site, 'appserver');
  await arrival(gate);
  return { job, starts };
}

async function askForNewSettings(title = 'First'): Promise<void> {
  version += 1;
  const content = `web:\n  title: ${title}\n  version: ${version}\n`;
  await publish(site, 'pillars/web.yaml', content);
}

/** How often the service was started so far: it writes a line each time. */
async function countStarts(): Promise<number> {
  return Number(await sh(appserver, 'wc -l </var/log/web-starts'));
}

/** The process of the run that is under way. */
async function runningChild(job: string): Promise<string> {
  return sh(appserver, `grep -o '"pid":[0-9]*' ${STATE}/jobs/${job}.json | cut -d: -f2`);
}

/** Until the report of a job is on the minion's disk, where it stays for as long as the master has not said that it has it. */
async function spooled(job: string): Promise<void> {
  await until('the report', 30, async () => {
    return (await sh(appserver, `ls ${STATE}/spool`)) === `${job}.json`;
  });
}

async function mainProcess(host: Host, unit: string): Promise<string> {
  return sh(host, `systemctl show -P MainPID ${unit}`);
}

async function ended(job: string, seconds = 60): Promise<string> {
  await until(`job ${job} to end`, seconds, async () => {
    const done = await attempt(conductor, ['master', 'jobs', 'show', job, '--json']);
    return done.exitCode === 0 && ENDS.has((await targetOf(site, job)).state);
  });
  return (await targetOf(site, job)).state;
}

const eventSchema = z.object({
  event: z.string(),
  state: z.string().optional(),
  run: z.object({ report: z.object({ owed: z.array(z.string()) }).optional() }).optional(),
});

/** One end, one report, nothing owed, nothing left of it on the minion. */
async function hasEndedOnce(t: ExecutionContext, job: string, state: string): Promise<void> {
  t.is(await ended(job), state);
  const { stdout } = await attempt(conductor, [
    'master',
    'jobs',
    'watch',
    job,
    '--output',
    'ndjson',
  ]);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => eventSchema.parse(JSON.parse(line)));
  const ends = events.flatMap((event) => (ENDS.has(event.state ?? '') ? [event.state] : []));
  t.deepEqual(ends, [state]);
  t.is(events.filter(({ run }) => run?.report !== undefined).length, 1);
  t.is(events.at(-1)?.event, 'done');
  const stored = `journalctl -u conductor-master --no-pager -o cat | grep 'Report stored' | grep -c ${job}`;
  t.is(await sh(conductor, stored), '1');
  await until('the minion to forget the job', 20, async () => {
    return (
      (await sh(appserver, `ls ${STATE}/jobs ${STATE}/spool | grep -c ${job} || true`)) === '0'
    );
  });
}

/** The new settings are there, and the service was started on them, by exactly so many starts. */
async function runsOnNewSettings(t: ExecutionContext, starts: number): Promise<void> {
  t.regex(await appserver.read('/etc/web.conf'), new RegExp(`^version = ${version}$`, 'mu'));
  t.is(await sh(appserver, 'systemctl is-active web'), 'active');
  t.is(await sh(appserver, 'tail -n 1 /var/log/web-starts'), await settings());
  t.is(await countStarts(), starts);
  const isNewer =
    'test "$(date +%s%N -d "$(systemctl show -P ActiveEnterTimestamp --timestamp=us web)")" -gt "$(date +%s%N -r /etc/web.conf)" && echo newer';
  t.is(await sh(appserver, isNewer), 'newer');
  t.is(await sh(appserver, `grep -c '"owed": \\[\\]' ${STATE}/owed.json`), '1');
}

async function settings(): Promise<string> {
  return sh(appserver, 'sha256sum </etc/web.conf');
}

/** The settings are new, the service still runs on the old ones, and it is written down that a restart is owed. */
async function owesRestart(t: ExecutionContext): Promise<void> {
  t.regex(await appserver.read('/etc/web.conf'), new RegExp(`^version = ${version}$`, 'mu'));
  t.not(await sh(appserver, 'tail -n 1 /var/log/web-starts'), await settings());
  t.regex(await appserver.read(`${STATE}/owed.json`), /"key": "service\.running/u);
}

async function nothingIsLeftToDo(t: ExecutionContext): Promise<void> {
  const { exitCode, targets } = await apply(site, 'appserver');
  t.is(exitCode, 0);
  t.is(targets[0]?.report?.counts['changed'], 0);
}

onHosts('two hosts join a master, and a service runs on one', async (t) => {
  t.timeout(600_000);
  site = await openSite((line) => t.log(line));
  ({ conductor, appserver } = site);
  t.is((await apply(site, 'appserver')).exitCode, 0);
  await nothingIsLeftToDo(t);
});

onHosts('a run killed before it did anything is done again', async (t) => {
  const { job, starts } = await holdAt('first');
  t.notRegex(await appserver.read('/etc/web.conf'), new RegExp(`version = ${version}`, 'u'));
  await sh(appserver, `kill -9 ${await runningChild(job)}`);
  await arrival('first');
  await open('first');
  await hasEndedOnce(t, job, 'changed');
  await runsOnNewSettings(t, starts + 1);
  await nothingIsLeftToDo(t);
});

onHosts(
  'a run killed between new settings and the restart they ask for is done again, with the restart',
  async (t) => {
    const { job, starts } = await holdAt('owed');
    await owesRestart(t);
    await sh(appserver, `kill -9 ${await runningChild(job)}`);
    await arrival('owed');
    t.is(await countStarts(), starts);
    await open('owed');
    await hasEndedOnce(t, job, 'changed');
    await runsOnNewSettings(t, starts + 1);
    await nothingIsLeftToDo(t);
  },
);

onHosts(
  'a run killed again and again is given up, and the next one makes the owed restart',
  async (t) => {
    const { job, starts } = await holdAt('owed');
    for (let kills = 0; kills < 3; kills += 1) {
      if (kills > 0) await arrival('owed');
      await sh(appserver, `kill -9 ${await runningChild(job)}`);
    }
    await hasEndedOnce(t, job, 'interrupted');
    await owesRestart(t);
    await open('owed');
    const next = await apply(site, 'appserver');
    t.is(next.exitCode, 0);
    const service = next.outcomes.find(({ type }) => type === 'service.running');
    t.regex(service?.reaction ?? '', /^restarted \(owed since 20/u);
    await runsOnNewSettings(t, starts + 1);
    await nothingIsLeftToDo(t);
  },
);

onHosts(
  'the agent killed in mid-run comes back and reports what its run has done meanwhile',
  async (t) => {
    const { job, starts } = await holdAt('owed');
    const child = await runningChild(job);
    await sh(appserver, `kill -9 ${await mainProcess(appserver, 'conductor-minion')}`);
    t.is(await sh(appserver, `ps -o comm= -p ${child}`), 'node');
    await open('owed');
    await hasEndedOnce(t, job, 'changed');
    await runsOnNewSettings(t, starts + 1);
    await nothingIsLeftToDo(t);
  },
);

onHosts(
  'a run killed between settings on which the service does not start and its restart: the old ones come back',
  async (t) => {
    const before = await appserver.read('/etc/web.conf');
    const { job } = await holdAt('owed', 'Refused');
    t.regex(await appserver.read('/etc/web.conf'), /Refused/u);
    t.is(await sh(appserver, `stat --format=%a ${STATE}/keeps/*`), '600');
    t.is(await sh(appserver, `grep -c version ${STATE}/keeps/* || true`), '0');
    await sh(appserver, `kill -9 ${await runningChild(job)}`);
    await arrival('owed');
    await open('owed');
    t.is(await ended(job), 'failed');
    const { stdout } = await attempt(conductor, ['master', 'jobs', 'show', job]);
    t.regex(stdout, /the old "\/etc\/web\.conf" is back, and it is up on that again/u);
    t.is(await appserver.read('/etc/web.conf'), before);
    t.is(await sh(appserver, 'systemctl is-active web'), 'active');
    t.is(await sh(appserver, 'tail -n 1 /var/log/web-starts'), await settings());
    t.is(await sh(appserver, `grep -c '"owed": \\[\\]' ${STATE}/owed.json`), '1');
    t.is(await sh(appserver, `ls ${STATE}/keeps`), '');
    const starts = await countStarts();
    await askForNewSettings();
    t.is((await apply(site, 'appserver')).exitCode, 0);
    await runsOnNewSettings(t, starts + 1);
    await nothingIsLeftToDo(t);
  },
);

onHosts('the agent killed together with its run does it again, with the restart', async (t) => {
  const { job, starts } = await holdAt('owed');
  const agent = await mainProcess(appserver, 'conductor-minion');
  await sh(appserver, `kill -9 ${agent} ${await runningChild(job)}`);
  await owesRestart(t);
  await arrival('owed');
  await open('owed');
  await hasEndedOnce(t, job, 'changed');
  await runsOnNewSettings(t, starts + 1);
  await nothingIsLeftToDo(t);
});

onHosts('the agent killed before the master has its report sends it when it is back', async (t) => {
  const { job, starts } = await holdAt('last');
  const master = await mainProcess(conductor, 'conductor-master');
  await sh(conductor, `kill -STOP ${master}`);
  await open('last');
  await spooled(job);
  await sh(appserver, `kill -9 ${await mainProcess(appserver, 'conductor-minion')}`);
  await sh(conductor, `kill -CONT ${master}`);
  await hasEndedOnce(t, job, 'changed');
  await runsOnNewSettings(t, starts + 1);
  await nothingIsLeftToDo(t);
});

onHosts(
  'the master killed in mid-run: the run goes on, and its report comes when there is a master again',
  async (t) => {
    const starts = await countStarts();
    await askForNewSettings();
    await shut('owed');
    const watching = attempt(conductor, ['master', 'apply', '--target', 'appserver']);
    await arrival('owed');
    await sh(conductor, `kill -9 ${await mainProcess(conductor, 'conductor-master')}`);
    const seen = await watching;
    t.is(seen.exitCode, 3);
    t.regex(seen.stderr, /^The job goes on\.$/mu);
    const job = /master jobs watch ([0-9a-f-]{36})/u.exec(seen.stderr)?.[1] ?? '';
    await open('owed');
    const spool = `ls ${STATE}/spool`;
    await until('the report', 30, async () => (await sh(appserver, spool)) === `${job}.json`);
    await runsOnNewSettings(t, starts + 1);
    await untilOnline(site, ['appserver', 'conductor']);
    await hasEndedOnce(t, job, 'changed');
    await nothingIsLeftToDo(t);
  },
);

onHosts(
  'a host that loses its power in mid-run does it again, with the restart, when it is back',
  async (t) => {
    const { job, starts } = await holdAt('owed');
    await owesRestart(t);
    await appserver.powerOff();
    await appserver.bootAgain();
    await arrival('owed');
    // The boot has started the service once, the owed restart comes on top.
    t.is(await countStarts(), starts + 1);
    await open('owed');
    await hasEndedOnce(t, job, 'changed');
    await runsOnNewSettings(t, starts + 2);
    await nothingIsLeftToDo(t);
  },
);

onHosts(
  'a host that is cut off in mid-run is seen to be offline, and its result comes when it is back',
  async (t) => {
    t.timeout(240_000);
    const { job, starts } = await holdAt('owed');
    await appserver.cut();
    await open('owed');
    const spool = `ls ${STATE}/spool`;
    await until('the report', 30, async () => (await sh(appserver, spool)) === `${job}.json`);
    await runsOnNewSettings(t, starts + 1);
    await until('the master to notice', 60, async () => {
      const { minions } = await statusOf(site);
      return minions.some(({ id, online }) => id === 'appserver' && !online);
    });
    t.is((await targetOf(site, job)).state, 'running');
    const refused = await apply(site, 'appserver', '--dry-run');
    t.is(refused.exitCode, 3);
    t.is(refused.targets[0]?.state, 'unreachable');
    await appserver.mend();
    await untilOnline(site, ['appserver'], 100);
    await hasEndedOnce(t, job, 'changed');
    await nothingIsLeftToDo(t);
  },
);

for (const fault of FAST_FAULTS) {
  onHosts(`nothing is lost: ${fault.name}`, async (t) => {
    t.timeout(300_000);
    const seed = Date.now() % 1_000_000;
    const log = (line: string): void => t.log(line);
    const rounds = fault.rounds ?? 1;
    const setting = { site, rounds, minutes: 1, seed, random: randomFrom(seed), log };
    const { lost } = await inflict(fault, setting);
    t.deepEqual(lost, [], `with the seed ${seed}`);
  });
}
