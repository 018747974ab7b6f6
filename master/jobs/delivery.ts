import type { MasterMessage } from '../../protocol/messages.ts';
import type { Session } from '../sessions/presence.ts';
import type { Job, JobTarget, Store } from '../store/store.ts';
import { UNFINISHED_STATES } from './job-result.ts';
import type { JobContext } from './job-context.ts';

/** What a minion can that is told when it may not wait for another run of its own. */
export const REFUSES_WHEN_BUSY = 'refuses-when-busy';

export function send(
  { unanswered, now }: Pick<JobContext, 'unanswered' | 'now'>,
  session: Session,
  job: Job,
  expiresAt: string,
): void {
  session.sentJobs.add(job.id);
  unanswered.sent({ job: job.id, minion: session.minion });
  const leftMs = Math.max(0, Date.parse(expiresAt) - now().getTime());
  session.send(jobMessage(job, Math.ceil(leftMs / 1000)));
}

function jobMessage(job: Job, expiresInSeconds: number): MasterMessage {
  return {
    type: 'job',
    options: {
      job: job.id,
      cause: 'job',
      dryRun: job.dryRun,
      stateFiles: [...job.stateFiles],
      params: { ...job.params },
      timeoutSeconds: job.timeoutSeconds,
    },
    revision: job.revision,
    expiresInSeconds,
    ...(job.rollout.queue ? {} : { queue: false }),
  };
}

export async function offlineError({ store }: JobContext, minion: string) {
  const seenAt = (await store.minions.get(minion))?.seenAt ?? null;
  const since = seenAt === null ? 'it has never been seen' : `last seen ${seenAt}`;
  return { code: 'MINION_OFFLINE', message: `"${minion}" is offline (${since})` };
}

/** Compares what is thought of a minion's jobs with what it says when it has come back. */
export async function reconcile(
  context: JobContext,
  session: Session,
  known: readonly string[],
): Promise<void> {
  // Also of those that are over here: their minion may have been away when they were cancelled.
  for (const job of await context.store.jobs.cancelledOf(known))
    session.send({ type: 'cancel', job });
  for (const { job, target } of await context.store.jobs.unfinishedOf(session.minion))
    await reconcileTarget(context, session, { job, target, isKnown: known.includes(job.id) });
}

async function reconcileTarget(
  { board, turns }: JobContext,
  session: Session,
  { job, target, isKnown }: { job: Job; target: JobTarget; isKnown: boolean },
): Promise<void> {
  const at = { job: job.id, minion: session.minion };
  if (isKnown) {
    await board.move({ ...at, from: ['queued'] }, { state: 'delivered' });
  } else if (target.state === 'queued') {
    await turns.check(job.id);
  } else {
    const message = 'The minion no longer knows the job that it had accepted';
    const error = { code: 'RUN_LOST', message };
    await board.move({ ...at, from: UNFINISHED_STATES }, { state: 'interrupted', error });
  }
}

/** That it is to end is on disk before anybody hears of it: a minion that is away is told later. */
export async function cancel(context: JobContext, job: Job): Promise<void> {
  const { store, presence, turns, now } = context;
  await store.jobs.cancel(job.id, now().toISOString());
  for (const { minion } of await store.jobs.targets(job.id))
    presence.get(minion)?.send({ type: 'cancel', job: job.id });
  await turns.check(job.id);
}

/** A minion is let in no more: what it has not accepted never starts, what it has is never told. */
export async function forsake({ store, board }: JobContext, minion: string): Promise<void> {
  const error = {
    code: 'ENROLMENT_REFUSED',
    message: `The key of "${minion}" is accepted no more`,
  };
  for (const { target } of await store.jobs.unfinishedOf(minion)) {
    const at = { job: target.job, minion };
    const isCancelled = await board.move(
      { ...at, from: ['queued'] },
      { state: 'cancelled', error },
    );
    if (!isCancelled)
      await board.move({ ...at, from: UNFINISHED_STATES }, { state: 'interrupted', error });
  }
}

type Overdue = Awaited<ReturnType<Store['jobs']['overdue']>>[number];

/** Ends what nobody can expect any more; a report that comes all the same is still believed. */
export async function sweep({ store, board, now, log }: JobContext): Promise<void> {
  const giveUp = async ({ target, why }: Overdue): Promise<void> => {
    const { job, minion, state } = target;
    const error = { code: 'MINION_OFFLINE', message: lateness(target, why) };
    const hasMoved = await board.move({ job, minion, from: [state] }, { state: why, error });
    if (hasMoved) log.warn({ job, minion, why }, 'Target given up');
  };
  // Together, so that they share a commit.
  await Promise.all((await store.jobs.overdue(now().toISOString())).map(giveUp));
}

function lateness({ expiresAt }: JobTarget, why: 'expired' | 'timeout'): string {
  if (why === 'timeout') return 'The minion has not reported in time';
  return expiresAt === null
    ? 'The job expired before its turn had come, or while the minion was away'
    : 'The minion has not accepted the job in time';
}
