import type { MasterMessage } from '../../protocol/messages.ts';
import type { Session } from '../sessions/presence.ts';
import type { Job, JobTarget } from '../store/store.ts';
import { UNFINISHED_STATES } from './job-result.ts';
import type { JobContext } from './job-context.ts';

/** Every target that is there gets it; one that is not has its answer at once. */
export async function deliver(context: JobContext, job: Job): Promise<void> {
  const { store, presence, board } = context;
  const queued = (await store.jobs.targets(job.id)).filter(({ state }) => state === 'queued');
  const deliveries = queued.map(async ({ minion }) => {
    const session = presence.get(minion);
    if (session !== null) return send(session, job);
    const error = await offlineError(context, minion);
    const at = { job: job.id, minion, from: ['queued'] } as const;
    return board.move(at, { state: 'unreachable', error });
  });
  await Promise.all(deliveries);
}

async function offlineError({ store }: JobContext, minion: string) {
  const seenAt = (await store.minions.get(minion))?.seenAt ?? null;
  const since = seenAt === null ? 'it has never been seen' : `last seen ${seenAt}`;
  return { code: 'MINION_OFFLINE', message: `"${minion}" is offline (${since})` };
}

function send(session: Session, job: Job): void {
  session.sentJobs.add(job.id);
  session.send(jobMessage(job));
}

function jobMessage(job: Job): MasterMessage {
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
    expiresAt: job.expiresAt,
  };
}

/** Compares what is thought of a minion's jobs with what it says when it has come back. */
export async function reconcile(
  context: JobContext,
  session: Session,
  known: readonly string[],
): Promise<void> {
  for (const { job, target } of await context.store.jobs.unfinishedOf(session.minion))
    await reconcileTarget(context, session, { job, target, isKnown: known.includes(job.id) });
}

async function reconcileTarget(
  { board, cancelled, now }: JobContext,
  session: Session,
  { job, target, isKnown }: { job: Job; target: JobTarget; isKnown: boolean },
): Promise<void> {
  const at = { job: job.id, minion: session.minion };
  if (cancelled.has(job.id)) session.send({ type: 'cancel', job: job.id });
  if (isKnown) {
    await board.move({ ...at, from: ['queued'] }, { state: 'delivered' });
  } else if (target.state === 'queued') {
    if (now().toISOString() < job.expiresAt && !session.sentJobs.has(job.id)) send(session, job);
  } else {
    const message = 'The minion no longer knows the job that it had accepted';
    const error = { code: 'RUN_LOST', message };
    await board.move({ ...at, from: UNFINISHED_STATES }, { state: 'interrupted', error });
  }
}

export async function cancel(context: JobContext, job: Job): Promise<void> {
  const { store, presence, board, cancelled } = context;
  cancelled.add(job.id);
  for (const { minion } of await store.jobs.targets(job.id)) {
    presence.get(minion)?.send({ type: 'cancel', job: job.id });
    await board.move({ job: job.id, minion, from: ['queued'] }, { state: 'cancelled' });
  }
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

/** Ends what nobody can expect any more; a report that comes all the same is still believed. */
export async function sweep({ store, board, now, log }: JobContext): Promise<void> {
  for (const { target, why } of await store.jobs.overdue(now().toISOString())) {
    const { job, minion, state } = target;
    const message =
      why === 'expired'
        ? 'The minion has not accepted the job in time'
        : 'The minion has not reported in time';
    const hasMoved = await board.move(
      { job, minion, from: [state] },
      { state: why, error: { code: 'MINION_OFFLINE', message } },
    );
    if (hasMoved) log.warn({ job, minion, why }, 'Target given up');
  }
}
