import type { Job, JobTarget } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import type { Queued, Standing } from './plan-turns.ts';

/** After a start the minions come back one by one, and until then nobody who was there before is called unreachable. */
export const RETURN_MS = 90_000;

/** Longer than a machine takes to restart: who is away for so long in mid-run no longer holds a place in a batch. */
const VANISHED_MS = 5 * 60_000;

export type View = Pick<JobContext, 'presence' | 'startedAt' | 'returning' | 'uptime' | 'now'>;

export async function standingOf(context: JobContext, job: Job): Promise<Standing> {
  const { store, now } = context;
  const queued = await store.jobs.queuedOf(job.id);
  const { batchWaitSeconds } = job.rollout;
  const since = new Date(now().getTime() - batchWaitSeconds * 1000).toISOString();
  return {
    now: now(),
    tally: await store.jobs.tally(job.id),
    resting: batchWaitSeconds === 0 ? 0 : await store.jobs.endedAfter(job.id, since),
    ...(await awayIn(context, job)),
    queued: queued.map((target) => ({ ...target, is: whereIs(context, job, target) })),
  };
}

/** By how long they have been away, or this master has been there: no clock that is set makes anybody vanish. */
async function awayIn(
  { presence, store, uptime }: JobContext,
  { id, rollout }: Job,
): Promise<Pick<Standing, 'away' | 'vanished'>> {
  if (rollout.batch === null) return { away: [], vanished: [] };
  const away = (await store.jobs.underWayOf(id)).filter((minion) => presence.get(minion) === null);
  const awayFor = (minion: string) => Math.min(presence.awayFor(minion) ?? uptime(), uptime());
  return { away, vanished: away.filter((minion) => awayFor(minion) >= VANISHED_MS) };
}

export type Waiting = Pick<JobTarget, 'minion' | 'expiresAt'>;

export function whereIs(view: View, job: Job, target: Waiting): Queued['is'] {
  const session = view.presence.get(target.minion);
  if (session?.sentJobs.has(job.id) === true) return 'sent';
  // What is late is given up by the sweep.
  if (target.expiresAt !== null && target.expiresAt <= view.now().toISOString()) return 'awaited';
  // One that has not greeted yet may have it already.
  if (session !== null) return session.capabilities === null ? 'awaited' : 'here';
  // What was sent may have been accepted: then the minion says so when it is back.
  const mayWait = job.rollout.expiresAt !== null || target.expiresAt !== null;
  return mayWait || maySoonBeBack(view, job, target.minion) ? 'awaited' : 'away';
}

function maySoonBeBack(view: View, job: Job, minion: string): boolean {
  const { presence, startedAt, returning, uptime } = view;
  if (uptime() >= RETURN_MS) return false;
  return (
    new Date(job.createdAt) < startedAt ||
    (returning.has(minion) && presence.awayFor(minion) === null)
  );
}
