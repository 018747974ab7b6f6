import type { Job } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import type { Running } from './target-board.ts';

/** What is told of a run that begins now, or has begun. */
export async function runningOf(
  { store, now }: Pick<JobContext, 'store' | 'now'>,
  job: Pick<Job, 'dryRun' | 'stateFiles'>,
  minion: string,
): Promise<Running> {
  const usualMilliseconds = await store.reports.usualMilliseconds(minion, job);
  return { since: now().toISOString(), usualMilliseconds };
}
