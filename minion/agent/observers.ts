import type { Report } from '../../protocol/report.ts';
import type { Pillar } from '../../protocol/run-request.ts';

/** Who wants to know what happens in the agent. */
export interface Observer {
  /** A pillar has come from the master. */
  readonly pillar: (value: Pillar['value']) => void;
  /** A run has its report. */
  readonly ended: (job: string, status: Report['status']) => void;
  /** A pause has begun, or ended. */
  readonly paused: () => void;
}

export interface Observers extends Observer {
  readonly add: (observer: Observer) => void;
}

/** Tells all that have been added. */
export function createObservers(): Observers {
  const observers: Observer[] = [];
  return {
    add: (observer) => void observers.push(observer),
    pillar: (value) => {
      for (const { pillar } of observers) pillar(value);
    },
    ended: (job, status) => {
      for (const { ended } of observers) ended(job, status);
    },
    paused: () => {
      for (const { paused } of observers) paused();
    },
  };
}
