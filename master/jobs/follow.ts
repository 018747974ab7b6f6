import type { JobEvent } from '../../protocol/messages.ts';
import type { Job, JobTarget } from '../store/store.ts';
import { exitCodeOfTargets, hasEnded } from './job-result.ts';
import type { JobContext } from './job-context.ts';
import { revisionOf } from './newest-tree.ts';
import { runningOf } from './usual.ts';
import { type Running, targetEvent } from './target-board.ts';
import { waitsIn } from './waits.ts';

/** Listens from this moment on, and tells first how things stand. */
export function follow(
  context: JobContext,
  job: Job,
  signal: AbortSignal,
): AsyncIterable<JobEvent> {
  return tell(context, job, context.board.events.follow(job.id, signal));
}

async function* tell(
  context: JobContext,
  job: Job,
  live: AsyncIterable<JobEvent>,
): AsyncIterable<JobEvent> {
  const targets = await context.store.jobs.targets(job.id);
  const minions = targets.map(({ minion }) => minion);
  yield { event: 'job', job: job.id, revision: revisionOf(job, targets), targets: minions };

  const ended = targets.filter(({ state }) => hasEnded(state));
  const waits = await waitsIn(context, job);
  for (const target of targets) yield* standing(context, job, { target, waits: waits(target) });
  if (ended.length === targets.length) {
    yield { event: 'done', exitCode: exitCodeOfTargets(targets) };
    return;
  }
  const told = new Set(ended.map(({ minion }) => minion));
  for await (const event of live) if (!('minion' in event && told.has(event.minion))) yield event;
}

function sinceOf({ state, updatedAt }: JobTarget): Running {
  return state === 'running' ? { since: updatedAt } : {};
}

async function* standing(
  context: JobContext,
  job: Job,
  { target, waits }: { target: JobTarget; waits: string | null },
): AsyncIterable<JobEvent> {
  const { store } = context;
  const report = hasEnded(target.state) ? await store.reports.get(target.job, target.minion) : null;
  if (report !== null)
    yield { event: 'run', minion: target.minion, run: { event: 'report', report } };
  const running = target.state === 'running' ? await runningOf(context, job, target.minion) : {};
  yield targetEvent({ ...target, waits, ...running, ...sinceOf(target) });
  const started = context.progress.last(job.id, target.minion);
  if (started !== null) yield { event: 'run', minion: target.minion, run: started };
}
