import type { JobEvent } from '../../protocol/messages.ts';
import type { Report, RunEvent } from '../../protocol/report.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import type { JsonMapping } from '../json-values.ts';
import type { Session } from '../sessions/presence.ts';
import type { Job, JobTarget } from '../store/store.ts';
import { cancel, forsake, reconcile, sweep } from './delivery.ts';
import { follow } from './follow.ts';
import { accepted, progressed } from './heard.ts';
import { createJobEvents } from './job-events.ts';
import { createProgressBoard, type Progress } from './progress.ts';
import type { JobContext, JobParts } from './job-context.ts';
import { awaitNoMore, awaitReturning } from './returning.ts';
import type { Rollout } from './rollout.ts';
import { createTargetBoard } from './target-board.ts';
import { tellUnanswered } from './tell-unanswered.ts';
import { createTurns } from './turns.ts';
import { createUnanswered } from './unanswered.ts';
import { waitsFor, waitsIn } from './waits.ts';

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
  /** What each target of it waits for, in words. */
  waitsIn(job: Job): Promise<(target: JobTarget) => string | null>;
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
  const unanswered = createUnanswered(parts);
  const begun = parts.elapsed();
  const uptime = (): number => parts.elapsed() - begun;
  const own = { board, progress, turns, unanswered, uptime };
  const since = { startedAt: parts.now(), returning: new Set<string>() };
  const context: JobContext = { ...parts, ...own, ...since };
  return {
    create: (request) => create(context, request),
    deliver: (job) => turns.check(job.id),
    follow: (job, signal) => follow(context, job, signal),
    progressOf: (job, minion) => progress.get(job, minion),
    waitsIn: (job) => waitsIn(context, job),
    cancel: (job) => cancel(context, job),
    reconcile: (session, known) => reconcile(context, session, known),
    accepted: (minion, job, { waiting }) => accepted(context, { minion, job, waiting }),
    progressed: (minion, job, event) => progressed(context, { minion, job }, event),
    reported: (minion, report) => reported(context, minion, report),
    disconnected: (minion) => disconnected(context, minion),
    forsake: (minion) => forsake(context, minion),
    sweep: () => sweep(context),
    tick: async () => {
      await Promise.all([turns.tick(), tellUnanswered(context), awaitNoMore(context)]);
    },
    resume: async () => {
      await awaitReturning(context);
      await turns.resume();
    },
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
    board.publishTarget({ ...target, waits: waitsFor(context, job, { target, holdUp: null }) });
  }
}
