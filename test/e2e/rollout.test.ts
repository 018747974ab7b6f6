import test from 'ava';
import { z } from 'zod';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import {
  apply,
  attempt,
  invite,
  openSite,
  publish,
  sh,
  until,
  untilOnline,
  type Site,
} from './installed-hosts.ts';

/** A job that goes over several minions, the master killed in the middle of it, and what failed tried again. */

const onHosts = await testOnHosts(test);
let site: Site;
let conductor: Host;

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

/** More minions on the conductor's host, each with a state directory of its own. */
const EXTRA = ['m1', 'm2', 'm3', 'm4'] as const;
const DONE = '/srv/turns';

/** Waits for its file in `/srv/gate`, fails where there is one in `/srv/bad`, and leaves its name. */
const TURN = `"turn of {{ minion.id }}":
  cmd.run:
    name: |
      until [ -e /srv/gate/{{ minion.id }} ]; do sleep 0.2; done
      echo {{ minion.id }} >> ${DONE}
      test ! -e /srv/bad/{{ minion.id }}
    timeout: 120
    always: true
`;

const jobSchema = z.object({
  id: z.string(),
  retryOf: z.string().nullable(),
  targets: z.array(
    z.object({
      minion: z.string(),
      state: z.string(),
      waits: z.string().nullable(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
});

async function jobOf(id: string) {
  const { stdout } = await conductor.exec(['master', 'jobs', 'show', id, '--json']);
  return jobSchema.parse(JSON.parse(stdout));
}

async function statesOf(id: string): Promise<Record<string, string>> {
  const { targets } = await jobOf(id);
  return Object.fromEntries(targets.map(({ minion, state }) => [minion, state]));
}

async function reaches(id: string, minion: string, state: string): Promise<void> {
  await until(`${minion} to be ${state}`, 240, async () => (await statesOf(id))[minion] === state);
}

async function startAnother(id: string): Promise<void> {
  const flags = ['--id', id, '--state-directory', `/var/lib/${id}`, '--socket', `/run/${id}.sock`];
  const input = `${await invite(site, id)}\n`;
  await conductor.exec(['minion', 'join', ...flags], { input });
  const start = ['systemd-run', '--quiet', `--unit=${id}`, 'conductor-minion', 'agent'] as const;
  await conductor.exec([...start, ...flags]);
}

/** Who answers has greeted before, and can have its turn. */
async function untilGreeted(): Promise<void> {
  await untilOnline(site, EXTRA, 120);
  await conductor.exec(['master', 'ping', '--target', 'm*']);
}

async function killMaster(): Promise<void> {
  const pid = await sh(conductor, 'systemctl show -P MainPID conductor-master');
  await sh(conductor, `kill -9 ${pid}`);
  await until('another master', 60, async () => {
    const now = await sh(conductor, 'systemctl show -P MainPID conductor-master');
    return now !== pid && (await attempt(conductor, ['master', 'status'])).exitCode === 0;
  });
}

const open = (...ids: readonly string[]) =>
  sh(conductor, ids.map((id) => `touch /srv/gate/${id}`).join('; '));

const turns = () => sh(conductor, `cat ${DONE} 2>/dev/null || true`);

onHosts('four more minions join', async (t) => {
  t.timeout(900_000);
  site = await openSite((line) => t.log(line));
  ({ conductor } = site);
  await sh(conductor, 'mkdir --parents /srv/gate /srv/bad');
  await publish(site, 'states/turn.yaml', TURN);
  for (const id of EXTRA) await startAnother(id);
  await untilOnline(site, EXTRA, 120);
  t.is((await attempt(conductor, ['master', 'ping', '--target', 'm*'])).exitCode, 0);
});

onHosts(
  'a master killed in the middle of a batch goes on with it; nobody has two turns or none',
  async (t) => {
    t.timeout(600_000);
    const argv = ['master', 'apply', '-t', 'm*', 'turn', '--batch', '1', '--detach'] as const;
    const { stdout } = await conductor.exec([...argv]);
    const job = stdout.trim();
    await reaches(job, 'm1', 'running');
    t.like(await statesOf(job), { m2: 'queued', m3: 'queued', m4: 'queued' });
    await killMaster();
    await untilOnline(site, EXTRA, 120);
    t.like(await statesOf(job), { m2: 'queued', m3: 'queued', m4: 'queued' });
    t.is(await turns(), '');
    await open('m1');
    await reaches(job, 'm2', 'running');
    // While the master is away m2 ends; the next has its turn when the report has come.
    await sh(conductor, 'systemctl kill -s KILL conductor-master; systemctl stop conductor-master');
    await open(...EXTRA);
    await until('m2 to have its turn', 60, async () => (await turns()) === 'm1\nm2');
    await sh(conductor, 'systemctl start conductor-master');
    // Who of the others comes back first has its turn first.
    for (const id of EXTRA) await reaches(job, id, 'changed');
    t.deepEqual((await turns()).split('\n').toSorted(), [...EXTRA]);
  },
);

onHosts('after a failure the rest is left alone, and a retry takes up what was left', async (t) => {
  t.timeout(600_000);
  await untilGreeted();
  await sh(conductor, `rm ${DONE}; touch /srv/bad/m2`);
  const failed = await apply(site, 'm*', 'turn', '--batch', '1', '--max-failures', '1');
  t.is(failed.exitCode, 2);
  t.deepEqual(
    failed.targets.map(({ minion, state, error }) => [minion, state, error?.code ?? null]),
    [
      ['m1', 'changed', null],
      ['m2', 'failed', null],
      ['m3', 'cancelled', 'FAILURES_REACHED'],
      ['m4', 'cancelled', 'FAILURES_REACHED'],
    ],
  );
  t.is(await turns(), 'm1\nm2');

  await sh(conductor, 'rm /srv/bad/m2');
  const again = await conductor.exec(['master', 'jobs', 'retry', failed.job, '--detach']);
  const retry = again.stdout.trim();
  await reaches(retry, 'm2', 'changed');
  t.deepEqual(await statesOf(retry), { m2: 'changed' });
  t.is((await jobOf(retry)).retryOf, failed.job);
  const rest = ['master', 'jobs', 'retry', failed.job, '--cancelled', '--json'] as const;
  t.is((await attempt(conductor, rest)).exitCode, 0);
  t.is(await turns(), 'm1\nm2\nm2\nm2\nm3\nm4');
});

onHosts(
  'a host that is away gets its job when it is back, from a master that was killed',
  async (t) => {
    t.timeout(600_000);
    await sh(conductor, `rm ${DONE}; systemctl kill -s KILL m4`);
    const offline = await apply(site, 'm4', 'turn');
    t.deepEqual([offline.exitCode, offline.targets[0]?.state], [3, 'unreachable']);
    const argv = ['master', 'apply', '-t', 'm4', 'turn', '--expires', '+1h', '--detach'] as const;
    const job = (await conductor.exec([...argv])).stdout.trim();
    const cancelled = (await conductor.exec([...argv])).stdout.trim();
    t.regex((await jobOf(job)).targets[0]?.waits ?? '', /gets it if it is back before/u);
    await conductor.exec(['master', 'jobs', 'cancel', cancelled]);
    await killMaster();
    await startAgain('m4');
    await reaches(job, 'm4', 'changed');
    t.deepEqual(await statesOf(cancelled), { m4: 'cancelled' });
    t.is(await turns(), 'm4');
  },
);

async function startAgain(id: string): Promise<void> {
  // Its unit is there, as failed, for as long as nobody has seen it.
  await sh(conductor, `systemctl reset-failed ${id} || true`);
  const flags = ['--id', id, '--state-directory', `/var/lib/${id}`, '--socket', `/run/${id}.sock`];
  await conductor.exec([
    'systemd-run',
    '--quiet',
    `--unit=${id}`,
    'conductor-minion',
    'agent',
    ...flags,
  ]);
}

onHosts('a minion that is busy refuses what may not wait, and names what it does', async (t) => {
  t.timeout(600_000);
  await untilGreeted();
  await sh(conductor, 'rm -f /srv/gate/m1');
  const argv = ['master', 'apply', '-t', 'm1', 'turn', '--detach'] as const;
  const first = (await conductor.exec([...argv])).stdout.trim();
  await reaches(first, 'm1', 'running');
  const refused = await apply(site, 'm1', 'turn', '--no-queue');
  t.is(refused.targets[0]?.state, 'failed');
  t.is(refused.targets[0]?.error?.code, 'RUN_BUSY');
  t.true(refused.targets[0]?.error?.message.includes(first));
  const second = (await conductor.exec([...argv])).stdout.trim();
  await until(
    'it to say for what it waits',
    30,
    async () =>
      (await jobOf(second)).targets[0]?.waits?.startsWith(`waits for job ${first} `) === true,
  );
  await open('m1');
  await reaches(second, 'm1', 'changed');
});
