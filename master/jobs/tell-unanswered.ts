import type { JobContext } from './job-context.ts';
import { waitsFor } from './waits.ts';

/** Tells those who follow which minions do not answer. */
export async function tellUnanswered(context: JobContext): Promise<void> {
  const { store, board, unanswered } = context;
  for (const { job: id, minion } of unanswered.late()) {
    const found = await store.jobs.unfinishedOf(minion);
    for (const { job, target } of found.filter(({ job }) => job.id === id))
      if (target.state === 'queued')
        board.publishTarget({ ...target, waits: waitsFor(context, job, { target, holdUp: null }) });
  }
}
