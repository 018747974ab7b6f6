import type { TargetState } from '../../protocol/messages.ts';
import type { Job, JobTarget, Tally } from '../store/store.ts';
import { batchSize, failureLimit } from './rollout.ts';

/** How things stand with a job of which some targets wait. */
export interface Standing {
  readonly now: Date;
  readonly tally: Tally;
  /** Runs that have ended so recently that their places are to stay empty. */
  readonly resting: number;
  /** Minions that are away in the middle of their run. */
  readonly away: readonly string[];
  /** Those of them that are not expected back soon. */
  readonly vanished: readonly string[];
  readonly queued: readonly Queued[];
}

export interface Queued extends Pick<JobTarget, 'minion' | 'expiresAt'> {
  /** `sent`: it has it, or soon will; `awaited`: it is away, and its time is not over. */
  readonly is: 'sent' | 'here' | 'awaited' | 'away';
}

/** What happens now. Whoever is in none of these goes on waiting. */
export interface Turns {
  readonly deliver: readonly Queued[];
  readonly unreachable: readonly string[];
  readonly end: readonly string[];
  /** Why those end that never got it. */
  readonly because: EndReason | null;
}

interface EndReason {
  readonly code: 'CANCELLED' | 'FAILURES_REACHED';
  readonly message: string;
}

/** Whose turn it is. Depends on nothing but what is given, so a new process goes on where the last one died. */
export function planTurns(job: Job, standing: Standing): Turns {
  const { queued, tally } = standing;
  const reason = reasonToEnd(job, failuresIn(tally), totalOf(tally));
  if (reason !== null) {
    const hasBegun = reason.code === 'FAILURES_REACHED';
    const ending = hasBegun ? queued.filter(({ is }) => is !== 'sent') : queued;
    return { ...NOTHING, end: ending.map(({ minion }) => minion), because: reason };
  }
  return isEarly(job, standing.now) ? NOTHING : fillPlaces(job, standing);
}

const NOTHING: Turns = { deliver: [], unreachable: [], end: [], because: null };

export function isEarly({ rollout: { startsAt } }: Job, now: Date): boolean {
  return startsAt !== null && now < new Date(startsAt);
}

/** One that has vanished holds no place, and is a failure for as long as it is away: what it had may have been why. */
function roomIn({ rollout }: Job, { tally, resting, vanished, queued }: Standing) {
  const total = totalOf(tally);
  const sent = queued.filter(holdsPlace).length;
  const taken = countIn(tally, 'delivered', 'running') - vanished.length + sent + resting;
  return {
    free: batchSize(rollout, total) - taken,
    failuresLeft: failureLimit(rollout, total) - failuresIn(tally) - vanished.length,
  };
}

function fillPlaces(job: Job, standing: Standing): Turns {
  const { queued } = standing;
  const { failuresLeft, ...room } = roomIn(job, standing);
  let { free } = room;
  const deliver: Queued[] = [];
  const unreachable: string[] = [];
  for (const target of queued) {
    const { minion, is } = target;
    if (free <= 0 || unreachable.length >= failuresLeft) break;
    if (is === 'away') unreachable.push(minion);
    if (is !== 'here') continue;
    deliver.push(target);
    free -= 1;
  }
  // Those that are found to be away may be one too many: then nobody gets it any more.
  const isOver = unreachable.length >= failuresLeft;
  return { ...NOTHING, deliver: isOver ? [] : deliver, unreachable };
}

/** Minions that are away in the middle of their run, and why others wait for them. */
export interface HoldUp {
  readonly because: 'they hold places' | 'they count as failed';
  readonly minions: readonly string[];
}

/** `null` if nobody waits, or not because of minions that are away. */
export function holdUpOf(job: Job, standing: Standing): HoldUp | null {
  const { away, vanished, queued } = standing;
  if (!queued.some(({ is }) => is === 'here')) return null;
  const { free, failuresLeft } = roomIn(job, standing);
  if (vanished.length > 0 && failuresLeft <= 0)
    return { because: 'they count as failed', minions: vanished };
  const holding = away.filter((minion) => !vanished.includes(minion));
  if (holding.length === 0 || free > 0) return null;
  return { because: 'they hold places', minions: holding };
}

/** What was sent to one that is away by now may be in its hands. */
function holdsPlace({ is, expiresAt }: Queued): boolean {
  return is === 'sent' || (is === 'awaited' && expiresAt !== null);
}

function reasonToEnd(job: Job, failures: number, total: number): EndReason | null {
  if (job.cancelledAt !== null)
    return { code: 'CANCELLED', message: 'It was cancelled before it was delivered' };
  if (failures < failureLimit(job.rollout, total)) return null;
  const so = failures === 1 ? '1 target has failed' : `${failures} targets have failed`;
  const message = `Not delivered: ${so}, and with --max-failures ${job.rollout.maxFailures ?? ''} the job stops then`;
  return { code: 'FAILURES_REACHED', message };
}

const FAILURES = ['failed', 'timeout', 'expired', 'unreachable', 'interrupted'] as const;

function failuresIn(tally: Tally): number {
  return countIn(tally, ...FAILURES);
}

function countIn(tally: Tally, ...states: readonly TargetState[]): number {
  return states.reduce((sum, state) => sum + (tally.get(state) ?? 0), 0);
}

function totalOf(tally: Tally): number {
  return [...tally.values()].reduce((sum, count) => sum + count, 0);
}
