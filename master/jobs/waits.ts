import type { Job, JobTarget } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import { hasEnded } from './job-result.ts';
import { holdUpOf, isEarly, type HoldUp } from './plan-turns.ts';
import { standingOf, type View, type Waiting, whereIs } from './standing.ts';

/** What the targets of a job that have not ended wait for, in words; `null` for one that waits for nothing. */
export async function waitsIn(
  context: JobContext,
  job: Job,
): Promise<(target: JobTarget) => string | null> {
  const isBatch = job.rollout.batch !== null;
  const holdUp = isBatch ? holdUpOf(job, await standingOf(context, job)) : null;
  return (target) => waitsFor(context, job, { target, holdUp });
}

/** Of one target; `holdUp` is who keeps the others from having their turn. */
export function waitsFor(
  view: View & Pick<JobContext, 'progress' | 'unanswered'>,
  job: Job,
  { target, holdUp }: { target: JobTarget; holdUp: HoldUp | null },
): string | null {
  const { state, minion } = target;
  const since = state === 'queued' ? view.unanswered.since({ job: job.id, minion }) : null;
  if (since !== null) return `sent at ${since.toISOString()}; the minion does not answer`;
  if (state === 'queued') return queuedFor(view, job, { target, holdUp });
  if (hasEnded(state)) return null;
  if (view.presence.get(minion) === null) return awayWords(minion, holdUp);
  return state === 'delivered' ? view.progress.waitingFor(job.id, minion) : null;
}

function queuedFor(
  view: View,
  job: Job,
  { target, holdUp }: { target: Waiting; holdUp: HoldUp | null },
): string | null {
  const { startsAt, expiresAt, batch } = job.rollout;
  if (isEarly(job, view.now())) return `begins at ${startsAt ?? ''}`;
  const is = whereIs(view, job, target);
  if (is === 'here') return batch === null ? null : turnWords(batch, holdUp);
  if (is !== 'awaited') return null;
  const session = view.presence.get(target.minion);
  if (session !== null && session.capabilities === null)
    return `connected since ${session.connectedAt} without a word; the minion does not answer`;
  const until = target.expiresAt ?? expiresAt;
  return until === null
    ? 'offline since the master started; it may come back'
    : `offline; gets it if it is back before ${until}`;
}

const AWAY = 'The minion has disconnected; its result will come when it is back';

function awayWords(minion: string, holdUp: HoldUp | null): string {
  if (holdUp?.minions.includes(minion) !== true) return AWAY;
  return holdUp.because === 'they hold places'
    ? `${AWAY}; until then, but for five minutes at most, it keeps its place`
    : `${AWAY}; until then the others wait, as it counts as failed`;
}

function turnWords(batch: string, holdUp: HoldUp | null): string {
  const turn = `waits for its turn, ${batch} at a time`;
  if (holdUp === null) return turn;
  const who = someOf(holdUp.minions);
  return holdUp.because === 'they hold places'
    ? `${turn}: away, and keeping a place for five minutes: ${who}`
    : `waits until those that vanished in mid-run are back or given up, as they count as failed: ${who}`;
}

const MOST_NAMED = 3;

function someOf(minions: readonly string[]): string {
  const named = minions.slice(0, MOST_NAMED).join(', ');
  const more = minions.length - MOST_NAMED;
  return more > 0 ? `${named} and ${more} more` : named;
}
