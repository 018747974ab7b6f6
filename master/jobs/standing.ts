import type { Job, JobTarget } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import { isEarly, type Queued, type Standing } from './plan-turns.ts';

/** After a start the minions come back one by one, and until then nobody who was there before is called unreachable. */
export const RETURN_MS = 90_000;

/** Longer than a machine takes to restart: who is away for so long in mid-run no longer holds a place in a batch. */
const VANISHED_MS = 5 * 60_000;

type View = Pick<JobContext, 'presence' | 'startedAt' | 'returning' | 'uptime' | 'now'>;

export async function standingOf(context: JobContext, job: Job): Promise<Standing> {
  const { store, now } = context;
  const queued = await store.jobs.queuedOf(job.id);
  const { batchWaitSeconds } = job.rollout;
  const since = new Date(now().getTime() - batchWaitSeconds * 1000).toISOString();
  return {
    now: now(),
    tally: await store.jobs.tally(job.id),
    resting: batchWaitSeconds === 0 ? 0 : await store.jobs.endedAfter(job.id, since),
    vanished: job.rollout.batch === null ? 0 : await countVanished(context, job),
    queued: queued.map((target) => ({ ...target, is: whereIs(context, job, target) })),
  };
}

/** By how long they have been away, or this master has been there: no clock that is set makes anybody vanish. */
async function countVanished(
  { presence, store, uptime }: JobContext,
  { id }: Job,
): Promise<number> {
  if (uptime() < VANISHED_MS) return 0;
  const away = (await store.jobs.underWayOf(id)).filter((minion) => presence.get(minion) === null);
  return away.filter((minion) => (presence.awayFor(minion) ?? uptime()) >= VANISHED_MS).length;
}

type Waiting = Pick<JobTarget, 'minion' | 'expiresAt'>;

function whereIs(view: View, job: Job, target: Waiting): Queued['is'] {
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

/** What a target that has not ended waits for, in words; `null` if it waits for nothing. */
export function waitsFor(
  view: View & Pick<JobContext, 'progress' | 'unanswered'>,
  job: Job,
  target: JobTarget,
): string | null {
  const { state, minion } = target;
  const since = state === 'queued' ? view.unanswered.since({ job: job.id, minion }) : null;
  if (since !== null) return `sent at ${since.toISOString()}; the minion does not answer`;
  if (state === 'queued') return queuedFor(view, job, target);
  return state === 'delivered' ? view.progress.waitingFor(job.id, minion) : null;
}

function queuedFor(view: View, job: Job, target: Waiting): string | null {
  const { startsAt, expiresAt, batch } = job.rollout;
  if (isEarly(job, view.now())) return `begins at ${startsAt ?? ''}`;
  const is = whereIs(view, job, target);
  if (is === 'here') return batch === null ? null : `waits for its turn, ${batch} at a time`;
  if (is !== 'awaited') return null;
  const session = view.presence.get(target.minion);
  if (session !== null && session.capabilities === null)
    return `connected since ${session.connectedAt} without a word; the minion does not answer`;
  const until = target.expiresAt ?? expiresAt;
  return until === null
    ? 'offline since the master started; it may come back'
    : `offline; gets it if it is back before ${until}`;
}
