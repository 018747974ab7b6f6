import type { Holder, RunEvent } from '../../protocol/report.ts';
import { renderHolder } from '../../shared/render-holder.ts';
import { renderPreparing } from '../../shared/render-preparing.ts';
import type { Job, Store } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import { deadlineOfRun } from './turns.ts';
import { runningOf } from './usual.ts';

/** What minions say of their jobs, until they report. */

interface Accepted {
  readonly minion: string;
  readonly job: string;
  readonly waiting: boolean;
  /** Which run it waits for, if that is known. */
  readonly holder?: Holder | null;
}

/** A minion has a job, or has it wait. */
export async function accepted(
  context: JobContext,
  { minion, job: id, waiting, holder = null }: Accepted,
): Promise<void> {
  const { store, presence, board, progress, unanswered } = context;
  unanswered.answered({ job: id, minion });
  const job = await store.jobs.get(id);
  if (job === null) return;
  // It may have been on its way when that was asked for.
  if (job.cancelledAt !== null) presence.get(minion)?.send({ type: 'cancel', job: id });
  const times = waiting ? {} : timesOfRun(context, job);
  const at = { job: id, minion, from: ['queued'] } as const;
  const waits = waiting ? waitsOf(progress.waitingFor(id, minion), holder) : null;
  const hasMoved = await board.move(at, { state: 'delivered', ...times }, { waits });
  if (waits === null) return;
  if (hasMoved) progress.waits(id, minion, waits);
  else await tellWaits(context, { minion, job: id }, waits);
}

/** A job that may wait for long is given up as late as any other once its run is there. */
function timesOfRun(context: JobContext, job: Job): { deadline?: string } {
  return job.rollout.expiresAt === null ? {} : { deadline: deadlineOfRun(context, job) };
}

/** What a run that has been delivered waits for; nothing is kept of jobs that are not this minion's. */
async function tellWaits(
  { store, board, progress }: JobContext,
  { minion, job }: { minion: string; job: string },
  waits: string,
): Promise<void> {
  if (!(await isUnderWay(store, job, minion))) return;
  progress.waits(job, minion, waits);
  board.publishTarget({ job, minion, state: 'delivered', waits });
}

/** What is known of it already is better than that it waits. */
function waitsOf(known: string | null, holder: Holder | null): string {
  const words = `waits for ${renderHolder(holder)} of the minion`;
  return holder === null ? (known ?? words) : words;
}

/** How far a run has come. */
export async function progressed(
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
  const isRunning = progress.get(job, minion) !== null;
  if (event.event === 'preparing') {
    if (!isRunning) await tellWaits(context, { minion, job }, renderPreparing(event));
    return;
  }
  if (!isRunning) {
    const from = ['queued', 'delivered'] as const;
    const known = await store.jobs.get(job);
    const running = known === null ? {} : await runningOf(context, known, minion);
    const times = known === null ? {} : timesOfRun(context, known);
    const change = { state: 'running', ...times } as const;
    const hasMoved = await board.move({ job, minion, from }, change, running);
    // Nothing is kept, or told to anybody, of jobs that are not this minion's.
    if (!hasMoved && !(await isUnderWay(store, job, minion))) return;
  }
  progress.note(job, minion, event);
  board.publishRun(job, minion, event);
}

async function isUnderWay({ jobs }: Store, job: string, minion: string): Promise<boolean> {
  return (await jobs.unfinishedOf(minion)).some(({ target }) => target.job === job);
}
