import type { Job } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import { holdUpOf, type Standing } from './plan-turns.ts';
import { waitsFor } from './waits.ts';

/** Tells those who follow, once, of minions that have vanished in mid-run and now keep all others waiting. */
export async function tellHoldUp(
  context: JobContext,
  job: Job,
  { standing, heldUp }: { standing: Standing; heldUp: Set<string> },
): Promise<void> {
  const holdUp = holdUpOf(job, standing);
  if (holdUp?.because !== 'they count as failed') return void heldUp.delete(job.id);
  if (heldUp.has(job.id)) return;
  heldUp.add(job.id);
  for (const target of await context.store.jobs.targets(job.id))
    if (holdUp.minions.includes(target.minion))
      context.board.publishTarget({ ...target, waits: waitsFor(context, job, { target, holdUp }) });
}
