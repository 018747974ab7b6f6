import type { JobEvent, TargetState } from '../../protocol/messages.ts';
import type { Report, RunEvent } from '../../protocol/report.ts';
import type { JobTarget, Store, TargetChange } from '../store/store.ts';
import type { JobEvents } from './job-events.ts';
import { exitCodeOfTargets, hasEnded } from './job-result.ts';

/** Moves targets in the store and tells those who follow, in this order. */
export interface TargetBoard {
  readonly events: JobEvents;
  /** A job has been made: its end will be told with that of its last target. */
  opened(job: string, minions: readonly string[]): void;
  /** `false`, and nobody hears of it, unless the target is in one of the states `from`. */
  move(
    of: { job: string; minion: string; from: readonly TargetState[] },
    change: Omit<TargetChange, 'updatedAt'>,
    told?: Pick<Told, 'waits' | 'since' | 'usualMilliseconds'>,
  ): Promise<boolean>;
  /** A report has been stored: its target has moved with it. */
  ended(report: Report): Promise<void>;
  publishTarget(target: Pick<JobTarget, 'job' | 'minion' | 'state'> & Told): void;
  publishRun(job: string, minion: string, run: RunEvent): void;
}

interface Parts {
  readonly store: Store;
  readonly now: () => Date;
  /** A target has ended: another one may have its turn. */
  readonly onEnd: (job: string) => void;
}

export function createTargetBoard({ store, now, onEnd }: Parts, events: JobEvents): TargetBoard {
  const open = new Map<string, Promise<Set<string>>>();

  function publishTarget(target: Pick<JobTarget, 'job' | 'minion' | 'state'> & Told): void {
    events.publish(target.job, targetEvent(target));
  }

  /** Tells the end of a job with that of its last target. */
  async function closeTarget(job: string, minion: string): Promise<void> {
    onEnd(job);
    // One set for all who close a target of it, also of those that a master before this one made.
    const loading = open.get(job) ?? openTargets(store, job);
    open.set(job, loading);
    const left = await loading;
    left.delete(minion);
    if (left.size > 0 || !open.delete(job)) return;
    const exitCode = exitCodeOfTargets(await store.jobs.targets(job));
    events.publish(job, { event: 'done', exitCode });
  }

  return {
    events,
    opened: (job, minions) => void open.set(job, Promise.resolve(new Set(minions))),
    publishTarget,
    publishRun: (job, minion, run) => events.publish(job, { event: 'run', minion, run }),
    async move(of, change, told = {}) {
      const { job, minion } = of;
      const hasMoved = await store.jobs.moveTarget(of, {
        ...change,
        updatedAt: now().toISOString(),
      });
      if (!hasMoved) return false;
      publishTarget({ job, minion, ...change, ...told });
      if (hasEnded(change.state)) await closeTarget(job, minion);
      return true;
    },
    async ended(report) {
      const { job, minion, counts, error = null } = report;
      events.publish(job, { event: 'run', minion, run: { event: 'report', report } });
      publishTarget({ job, minion, state: report.status, counts, error });
      await closeTarget(job, minion);
    },
  };
}

interface Told extends Partial<Pick<JobTarget, 'counts' | 'error'>>, Running {
  readonly waits?: string | null;
}

/** Of a target that runs. */
export interface Running {
  readonly since?: string;
  readonly usualMilliseconds?: number | null;
}

export function targetEvent({
  minion,
  state,
  counts,
  error,
  waits,
  since,
  usualMilliseconds,
}: Pick<JobTarget, 'minion' | 'state'> & Told): JobEvent {
  return {
    event: 'target',
    minion,
    state,
    ...(counts == null ? {} : { counts }),
    ...(error == null ? {} : { error: { code: error.code, message: error.message } }),
    ...(waits == null ? {} : { waits }),
    ...(since === undefined ? {} : { since }),
    ...(usualMilliseconds == null ? {} : { usualMilliseconds }),
  };
}

async function openTargets(store: Store, job: string): Promise<Set<string>> {
  const targets = await store.jobs.targets(job);
  return new Set(targets.filter(({ state }) => !hasEnded(state)).map(({ minion }) => minion));
}
