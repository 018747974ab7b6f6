import type { Logger } from '../../shared/log.ts';
import type { Configuration } from '../config.ts';
import type { Core } from './core.ts';
import { startScheduler } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import type { Intentions } from './session.ts';

/** What the agent does by itself: the schedule at work, and news of it. */
export interface Intending {
  readonly scheduler: Scheduler;
  readonly intentions: () => Intentions;
}

/** Starts the schedule, which hears of pillars, pauses and the ends of runs from then on. */
export function startIntending(
  core: Core,
  { state_directory: stateDirectory, id, refresh }: Configuration,
  log: Logger,
): Intending {
  const { pauses, now } = core;
  const scheduler = startScheduler({
    refresh,
    pillarSchedule: () => core.lastPillar()?.['schedule'] ?? null,
    id,
    stateDirectory,
    log,
    now,
    due: (timeoutSeconds) => core.refresh({ timeoutSeconds }),
    changed: () => tell(),
    heldUntil: () => {
      const pause = pauses.current();
      return pause === null ? null : new Date(pause.until);
    },
  });
  const intentions = (): Intentions => ({
    nextRefresh: scheduler.next?.toISOString() ?? null,
    scheduleSource: scheduler.source,
    pause: pauses.current(),
  });
  const tell = (): void => core.tell({ type: 'schedule', ...intentions() });
  core.observe({
    pillar: (value) => scheduler.learn(value['schedule'] ?? null),
    ended: (job, status) => scheduler.ended(job, status),
    paused: () => {
      scheduler.wake();
      tell();
    },
  });
  return { scheduler, intentions };
}
