import type { Job } from '../store/store.ts';
import { offlineError, REFUSES_WHEN_BUSY, send } from './delivery.ts';
import type { JobContext, JobTurns } from './job-context.ts';
import { onNewestTree } from './newest-tree.ts';
import { isEarly, planTurns, type Queued, type Standing } from './plan-turns.ts';
import { createPace, type Pace } from './pace.ts';
import { RETURN_MS, standingOf } from './standing.ts';
import { tellHoldUp } from './tell-hold-up.ts';

interface Round {
  again: boolean;
  done: Promise<void>;
}

interface Watch {
  /** Jobs of which a target waits, and from when on time alone may change something. */
  readonly waiting: Map<string, number>;
  readonly rounds: Map<string, Round>;
  readonly context: () => JobContext;
  /** Jobs of which it has been told who keeps the others from having their turn. */
  readonly heldUp: Set<string>;
  /**
   * A look at a job is one at all of its targets, and each minion that comes back asks for one: what they cost together
   * would grow with the square of their number.
   */
  readonly pace: Pace;
}

export function createTurns(context: () => JobContext): JobTurns {
  const pace = createPace(() => context().elapsed());
  const heldUp = new Set<string>();
  const watch: Watch = { waiting: new Map(), rounds: new Map(), heldUp, context, pace };
  let lastTick = 0;
  return {
    check: (job) => check(watch, job),
    poke(job) {
      if (!watch.waiting.has(job) && !watch.rounds.has(job)) return;
      check(watch, job).catch((error: unknown) => {
        context().log.error({ job, error }, 'Job could not go on');
      });
    },
    async tick() {
      const now = context().now().getTime();
      // A clock that was set back would make all of them wait for as long.
      const isSetBack = now < lastTick;
      lastTick = now;
      const due = [...watch.waiting].filter(([, dueAt]) => isSetBack || dueAt <= now);
      await Promise.all(due.map(([job]) => check(watch, job)));
    },
    async resume() {
      for (const { id } of await context().store.jobs.withQueued()) await check(watch, id);
    },
  };
}

function check(watch: Watch, job: string): Promise<void> {
  const current = watch.rounds.get(job);
  if (current !== undefined) {
    current.again = true;
    return current.done;
  }
  const round: Round = { again: true, done: Promise.resolve() };
  watch.rounds.set(job, round);
  round.done = go(watch, round, job);
  return round.done;
}

async function go(watch: Watch, round: Round, job: string): Promise<void> {
  const { waiting, rounds } = watch;
  try {
    while (round.again) {
      const dueAt = await takeTurns(watch, round, job);
      if (dueAt === null) forget(watch, job);
      else waiting.set(job, dueAt);
    }
  } catch (error) {
    // Whatever it was, such as a full disk: nobody else may ever ask for this job again.
    waiting.set(job, 0);
    throw error;
  } finally {
    rounds.delete(job);
  }
}

/** From when on it has to be looked at again; `null` if nobody waits. */
async function takeTurns({ context: current, pace, heldUp }: Watch, round: Round, id: string) {
  const context = current();
  const look = await pace.take(async () => {
    round.again = false;
    const job = await context.store.jobs.get(id);
    return job === null ? null : { job, standing: await standingOf(context, job) };
  });
  if (look === null) return null;
  const { job, standing } = look;
  if (standing.queued.length === 0) return null;
  await carryOut(context, await onNewestTree(context, job, standing), standing);
  await tellHoldUp(context, job, { standing, heldUp });
  return dueAt(context, job, standing);
}

function forget({ waiting, heldUp }: Watch, job: string): void {
  waiting.delete(job);
  heldUp.delete(job);
}

async function carryOut(context: JobContext, job: Job, standing: Standing): Promise<void> {
  const { deliver, unreachable, end, because } = planTurns(job, standing);
  const from = ['queued'] as const;
  const move = (minion: string, change: Parameters<JobContext['board']['move']>[1]) =>
    context.board.move({ job: job.id, minion, from }, change);
  await Promise.all([
    ...deliver.map((target) => give(context, job, target)),
    ...unreachable.map(async (minion) =>
      move(minion, { state: 'unreachable', error: await offlineError(context, minion) }),
    ),
    ...end.map((minion) => move(minion, { state: 'cancelled', error: because })),
  ]);
}

/** How long a job may wait for a minion to accept it, unless it says so itself. */
const EXPIRY_MS = 10 * 60_000;
/** What a report may be late by: the run's own way of ending, and the way here. */
const GRACE_MS = 2 * 60_000;

/** Its times are on disk before it is sent. */
async function give(context: JobContext, job: Job, target: Queued): Promise<void> {
  const { store, presence, now } = context;
  const { minion } = target;
  const at = now();
  // What has been sent before, to a minion that went away, does not get more time.
  const expiresAt =
    target.expiresAt ?? job.rollout.expiresAt ?? new Date(at.getTime() + EXPIRY_MS).toISOString();
  const times = { expiresAt, deadline: deadlineFrom(new Date(expiresAt), job) };
  const isStill = await store.jobs.moveTarget(
    { job: job.id, minion, from: ['queued'] },
    { state: 'queued', updatedAt: at.toISOString(), ...times },
  );
  const session = presence.get(minion);
  if (!isStill || session === null) return;
  if (job.rollout.queue || session.capabilities?.has(REFUSES_WHEN_BUSY) === true)
    return send(context, session, job, expiresAt);
  const message = `"${minion}" is too old to know --no-queue: upgrade Conductor there`;
  const error = { code: 'USAGE', message };
  await context.board.move({ job: job.id, minion, from: ['queued'] }, { state: 'failed', error });
}

function deadlineFrom(start: Date, { timeoutSeconds }: Job): string {
  return new Date(start.getTime() + timeoutSeconds * 1000 + GRACE_MS).toISOString();
}

/** A run that begins now need not be awaited for as long as one that may still have to wait. */
export function deadlineOfRun({ now }: Pick<JobContext, 'now'>, job: Job): string {
  return deadlineFrom(new Date(now().getTime() + EXPIRY_MS), job);
}

/** How often a batch in which nobody ends is looked at. */
const LOOK_MS = 15_000;

function dueAt({ uptime, now }: JobContext, job: Job, { resting }: Standing): number {
  if (isEarly(job, now())) return Date.parse(job.rollout.startsAt ?? '');
  if (resting > 0) return 0;
  // Those that hold the places may vanish.
  if (job.rollout.batch !== null) return now().getTime() + LOOK_MS;
  const left = RETURN_MS - uptime();
  return left > 0 ? now().getTime() + left : Number.POSITIVE_INFINITY;
}
