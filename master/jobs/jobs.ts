import type { JobEvent } from '../../protocol/messages.ts';
import type { Holder, Report, RunEvent } from '../../protocol/report.ts';
import { renderHolder } from '../../shared/render-holder.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import type { JsonMapping } from '../json-values.ts';
import type { Session } from '../sessions/presence.ts';
import type { Job, JobTarget, Store } from '../store/store.ts';
import { cancel, forsake, reconcile, sweep } from './delivery.ts';
import { follow } from './follow.ts';
import { createJobEvents } from './job-events.ts';
import { createProgressBoard, type Progress } from './progress.ts';
import type { JobContext, JobParts } from './job-context.ts';
import type { Rollout } from './rollout.ts';
import { waitsFor } from './standing.ts';
import { createTargetBoard } from './target-board.ts';
import { tellUnanswered } from './tell-unanswered.ts';
import { createTurns, deadlineOfRun } from './turns.ts';
import { createUnanswered } from './unanswered.ts';
import { runningOf } from './usual.ts';

/** What is asked for; the target has been resolved to minions, the tree to a revision. */
export interface JobRequest {
  readonly target: string;
  readonly minions: readonly string[];
  readonly revision: string;
  readonly stateFiles: readonly string[];
  readonly params: JsonMapping;
  readonly dryRun: boolean;
  readonly timeoutSeconds: number;
  readonly rollout: Rollout;
  readonly retryOf: string | null;
}

export interface Jobs {
  /** The row is on disk when this returns; nothing has been delivered yet. */
  create(request: JobRequest): Promise<Job>;
  /** Sends it to every target that is there, or as many at once as may be; the others have their turn. */
  deliver(job: Job): Promise<void>;
  /** All that is known of a job, then all that happens to it, until it is done. */
  follow(job: Job, signal: AbortSignal): AsyncIterable<JobEvent>;
  /** How far a run has come, if the minion has said so since this master started. */
  progressOf(job: string, minion: string): Progress | null;
  /** What a target of it waits for, in words. */
  waitsFor(job: Job, target: JobTarget): string | null;
  /** Asks for the end of it: what has not been accepted never starts. */
  cancel(job: Job): Promise<void>;
  /** A minion is back: what it has not got is sent again, what it no longer knows is over. */
  reconcile(session: Session, known: readonly string[]): Promise<void>;
  accepted(minion: string, job: string, how: { waiting: boolean }): Promise<void>;
  progressed(minion: string, job: string, event: RunEvent): Promise<void>;
  reported(minion: string, report: Report): Promise<void>;
  /** Tells those who follow that a minion in the middle of a run has gone. */
  disconnected(minion: string): Promise<void>;
  /** Ends what a minion whose key is no longer accepted had to do. */
  forsake(minion: string): Promise<void>;
  /** Ends what is overdue. */
  sweep(): Promise<void>;
  /** Goes on with what had to wait for its time. */
  tick(): Promise<void>;
  /** Goes on with what the master before this one has left. */
  resume(): Promise<void>;
}

export function createJobs(parts: JobParts): Jobs {
  const progress = createProgressBoard();
  const turns = createTurns(() => context);
  const board = createTargetBoard({ ...parts, onEnd: (job) => turns.poke(job) }, createJobEvents());
  const unanswered = createUnanswered(parts.now);
  const own = { board, progress, turns, unanswered, startedAt: parts.now() };
  const context: JobContext = { ...parts, ...own };
  return {
    create: (request) => create(context, request),
    deliver: (job) => turns.check(job.id),
    follow: (job, signal) => follow(context, job, signal),
    progressOf: (job, minion) => progress.get(job, minion),
    waitsFor: (job, target) => waitsFor(context, job, target),
    cancel: (job) => cancel(context, job),
    reconcile: (session, known) => reconcile(context, session, known),
    accepted: (minion, job, { waiting }) => accepted(context, { minion, job, waiting }),
    progressed: (minion, job, event) => progressed(context, { minion, job }, event),
    reported: (minion, report) => reported(context, minion, report),
    disconnected: (minion) => disconnected(context, minion),
    forsake: (minion) => forsake(context, minion),
    sweep: () => sweep(context),
    tick: async () => void (await Promise.all([turns.tick(), tellUnanswered(context)])),
    resume: () => turns.resume(),
  };
}

async function create({ store, board, now }: JobContext, request: JobRequest): Promise<Job> {
  const createdAt = now();
  const { minions, ...rest } = request;
  const job: Job = {
    ...rest,
    id: uuidv7(createdAt.getTime()),
    createdAt: createdAt.toISOString(),
    cancelledAt: null,
  };
  const targets = minions.map((minion): JobTarget => {
    const rest = { counts: null, error: null, expiresAt: null, deadline: null } as const;
    return { job: job.id, minion, state: 'queued', updatedAt: job.createdAt, ...rest };
  });
  await store.jobs.create(job, targets);
  board.opened(job.id, minions);
  return job;
}

interface Accepted {
  readonly minion: string;
  readonly job: string;
  readonly waiting: boolean;
  /** Which run it waits for, if that is known. */
  readonly holder?: Holder | null;
}

async function accepted(
  context: JobContext,
  { minion, job: id, waiting, holder = null }: Accepted,
): Promise<void> {
  const { store, board, progress, unanswered } = context;
  unanswered.answered({ job: id, minion });
  const job = await store.jobs.get(id);
  if (job === null) return;
  const isLong = job.rollout.expiresAt !== null && !waiting;
  const times = isLong ? { deadline: deadlineOfRun(context, job) } : {};
  const at = { job: id, minion, from: ['queued'] } as const;
  const waits = waiting ? waitsOf(progress.waitingFor(id, minion), holder) : null;
  const hasMoved = await board.move(at, { state: 'delivered', ...times }, { waits });
  if (waits === null || !(hasMoved || (await isUnderWay(store, id, minion)))) return;
  progress.waits(id, minion, waits);
  if (!hasMoved) board.publishTarget({ job: id, minion, state: 'delivered', waits });
}

/** What is known of it already is better than that it waits. */
function waitsOf(known: string | null, holder: Holder | null): string {
  const words = `waits for ${renderHolder(holder)} of the minion`;
  return holder === null ? (known ?? words) : words;
}

async function progressed(
  context: JobContext,
  { minion, job }: { minion: string; job: string },
  event: RunEvent,
): Promise<void> {
  const { store, board, progress, unanswered } = context;
  unanswered.answered({ job, minion });
  // The report has a message, and a way, of its own.
  if (event.event === 'report') return;
  if (event.event === 'waiting') {
    const { holder } = event;
    return accepted(context, { minion, job, waiting: true, holder });
  }
  if (progress.get(job, minion) === null) {
    const from = ['queued', 'delivered'] as const;
    const known = await store.jobs.get(job);
    const running = known === null ? {} : await runningOf(context, known, minion);
    const hasMoved = await board.move({ job, minion, from }, { state: 'running' }, running);
    // Nothing is kept, or told to anybody, of jobs that are not this minion's.
    if (!hasMoved && !(await isUnderWay(store, job, minion))) return;
  }
  progress.note(job, minion, event);
  board.publishRun(job, minion, event);
}

async function isUnderWay({ jobs }: Store, job: string, minion: string): Promise<boolean> {
  return (await jobs.unfinishedOf(minion)).some(({ target }) => target.job === job);
}

async function reported(context: JobContext, minion: string, report: Report): Promise<void> {
  const { store, board, progress, unanswered, log, now } = context;
  unanswered.answered({ job: report.job, minion });
  const isNew = await store.reports.add(report, now().toISOString());
  progress.forget(report.job, minion);
  if (!isNew) return;
  const { job, cause, status, counts } = report;
  log.info({ minion, job, cause, status, changed: counts.changed }, 'Report stored');
  await board.ended(report);
}

async function disconnected(context: JobContext, minion: string): Promise<void> {
  const { store, board, turns, unanswered } = context;
  unanswered.gone(minion);
  for (const { job, target } of await store.jobs.unfinishedOf(minion)) {
    // Its place in a batch will be another's if it stays away.
    turns.poke(job.id);
    if (target.state === 'queued') {
      board.publishTarget({ ...target, waits: waitsFor(context, job, target) });
      continue;
    }
    const message = 'The minion has disconnected; its result will come when it is back';
    board.publishTarget({ ...target, error: { code: 'MINION_OFFLINE', message } });
  }
}
