import test from 'ava';
import { z } from 'zod';
import { testOnHosts } from '../hosts/on-hosts.ts';
import {
  apply,
  attempt,
  openSite,
  publish,
  sh,
  TREE,
  until,
  untilOnline,
} from './installed-hosts.ts';
import type { Site } from './installed-hosts.ts';

/** What a minion does by itself, as its pillar says, and what holds it back, between two Debian hosts. */

const onHosts = await testOnHosts(test);
let site: Site;

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

const WEB = 'web:\n  title: First\n  version: 1\n';
const WHY = 'moving the database';
const EVERY_MINUTE = `${WEB}schedule:\n  cron: "* * * * *"\n  timezone: Asia/Jerusalem\n  splay: 0\n`;

const pause = z.object({ until: z.string(), why: z.string() });
const statusSchema = z.object({
  minions: z.array(
    z.object({
      id: z.string(),
      nextRefresh: z.string().nullable(),
      scheduleSource: z.string().nullable(),
      pause: pause.extend({ isConfirmed: z.boolean() }).nullable(),
      lastRun: z.object({ job: z.string(), cause: z.string(), endedAt: z.string() }).nullable(),
    }),
  ),
});

/** The app server, as the master shows it. */
async function shown() {
  const { stdout } = await site.conductor.exec(['master', 'status', '--json']);
  const { minions } = statusSchema.parse(JSON.parse(stdout));
  const minion = minions.find(({ id }) => id === 'appserver');
  if (minion === undefined) throw new Error('the app server is not known');
  return minion;
}

/** Refreshes of the app server's own that have ended since. */
async function refreshesSince(moment: number): Promise<number> {
  const list = ['master', 'jobs', 'list', '--kind', 'refresh', '--limit', '50', '--json'] as const;
  const { stdout } = await site.conductor.exec([...list]);
  const jobs = z.object({ jobs: z.array(z.object({ createdAt: z.string() })) });
  const { jobs: all } = jobs.parse(JSON.parse(stdout));
  return all.filter(({ createdAt }) => Date.parse(createdAt) >= moment).length;
}

const RESPECTFUL = ['master', 'apply', '--target', 'appserver', '--respect-pause'] as const;
const pauseIt = ['master', 'pause', '--target', 'appserver', '--for', '1h', '--why', WHY] as const;

onHosts('a minion goes by the schedule of its pillar, and both ends say so', async (t) => {
  site = await openSite((line) => t.log(line));
  const { appserver } = site;
  await apply(site, 'appserver');
  t.is((await shown()).scheduleSource, 'default');
  await publish(site, 'pillars/web.yaml', EVERY_MINUTE);
  const begun = Date.now();
  t.is((await apply(site, 'appserver')).exitCode, 0);
  await until(
    'the schedule of the pillar',
    20,
    async () => (await shown()).scheduleSource === 'pillar',
  );
  const local = await sh(appserver, 'minion status');
  t.regex(local, /^schedule: pillar$/mu);
  t.regex(local, /^next refresh: \d{4}-.*:00\.000Z$/mu);
  t.regex(local, /^paused: no$/mu);
  await until('a refresh', 150, async () => (await refreshesSince(begun)) > 0);
  t.is((await shown()).lastRun?.cause, 'refresh');
});

onHosts(
  'a pause from the master holds it back, restarts or not, and is seen everywhere',
  async (t) => {
    const { conductor, appserver } = site;
    const { stdout } = await conductor.exec([...pauseIt]);
    t.regex(stdout, /^appserver\s+paused\s+-$/mu);
    t.like((await shown()).pause, { why: WHY, isConfirmed: true });
    await until('the run that was under way', 60, async () =>
      /^run: none$/mu.test(await sh(appserver, 'minion status')),
    );
    const begun = Date.now();
    await sh(appserver, 'systemctl restart conductor-minion');
    await untilOnline(site, ['appserver']);
    t.regex(
      await sh(appserver, 'minion status'),
      new RegExp(`^paused: until .*: ${WHY} \\(by the master\\)$`, 'mu'),
    );
    await until('word of a refresh that is held back', 150, async () =>
      (await sh(appserver, 'journalctl -u conductor-minion -o cat')).includes(
        'Refresh was held back',
      ),
    );
    t.is(await refreshesSince(begun), 0);
    t.regex(
      await sh(conductor, 'master status 2>&1 >/dev/null'),
      /paused: appserver until .*moving/u,
    );
  },
);

onHosts('an operator goes before a pause, or respects it', async (t) => {
  const { conductor } = site;
  const applied = await attempt(conductor, ['master', 'apply', '--target', 'appserver']);
  t.is(applied.exitCode, 0);
  t.regex(applied.stdout, /paused no scheduled runs until .*: moving the database/u);
  const refused = await attempt(conductor, [...RESPECTFUL]);
  t.is(refused.exitCode, 5);
  t.regex(refused.stderr, /appserver is paused until .*: moving the database/u);
});

onHosts('resumed, it comes again by itself', async (t) => {
  const begun = Date.now();
  const resume = ['master', 'resume', '--target', 'appserver'] as const;
  t.regex(
    (await site.conductor.exec([...resume])).stdout,
    /^appserver\s+resumed\s+paused until /mu,
  );
  t.is((await shown()).pause, null);
  await until('a refresh', 150, async () => (await refreshesSince(begun)) > 0);
  t.is((await attempt(site.conductor, [...RESPECTFUL])).exitCode, 0);
});

onHosts('a pause on the minion itself ends by itself', async (t) => {
  const { appserver } = site;
  const said = await sh(appserver, 'minion pause --for 20s --why "a look"');
  t.regex(said, /^paused until .*: a look$/u);
  const again = await sh(appserver, 'minion pause --for 20s --why "a look"');
  t.regex(again, /\nin place of a pause until .*: a look$/u);
  await until('the master to hear of it', 10, async () => (await shown()).pause?.why === 'a look');
  await until('its end', 60, async () =>
    /^paused: no$/mu.test(await sh(appserver, 'minion status')),
  );
  t.is((await shown()).pause, null);
  for (const flags of ['--for 15d --why x', '--why x', '--for 1h']) {
    const { exitCode, stderr } = await attempt(appserver, ['bash', '-c', `minion pause ${flags}`]);
    t.is(exitCode, 1, flags);
    t.regex(stderr, /^error: Cannot pause: --/u);
  }
});

onHosts('a minion that was away hears of the pause when it is back', async (t) => {
  const { conductor, appserver } = site;
  await sh(appserver, 'systemctl stop conductor-minion');
  await until('it to be offline', 20, async () => {
    const { stdout } = await conductor.exec(['master', 'status']);
    return /^appserver\toffline\t/mu.test(stdout);
  });
  const { exitCode, stdout } = await attempt(conductor, [...pauseIt]);
  t.is(exitCode, 3);
  t.regex(stdout, /offline: it is told when it comes back/u);
  t.regex(await sh(appserver, 'minion status || true'), /^paused: no$/mu);
  await sh(appserver, 'systemctl start conductor-minion');
  await until('the pause', 60, async () => (await shown()).pause?.isConfirmed === true);
  t.regex(await sh(appserver, 'minion resume'), /^resumed; it was paused until .*: moving/u);
  await until('the master to hear of it', 10, async () => (await shown()).pause === null);
});

onHosts(
  'a schedule that cannot be is refused with its place, and no host is touched',
  async (t) => {
    const { conductor } = site;
    const starving = `${WEB}schedule:\n  at: "12:00"\n  windows: {allow: ["22:00-06:00"]}\n`;
    await conductor.write(`${TREE}/pillars/web.yaml`, starving);
    const lint = await attempt(conductor, ['master', 'lint']);
    t.is(lint.exitCode, 4);
    t.regex(lint.stderr, /pillars\/web\.yaml:6:12: schedule\.windows: none of the times/u);
    const applied = await attempt(conductor, ['master', 'apply', '--target', 'appserver']);
    t.is(applied.exitCode, 4);
    t.regex(applied.stderr, /schedule\.windows/u);
    t.is((await shown()).scheduleSource, 'pillar', 'the last good one goes on');
  },
);
