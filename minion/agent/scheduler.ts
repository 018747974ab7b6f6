import { join } from 'node:path';
import { scheduleSchema } from '../agent-files.ts';
import type { RefreshConfig } from '../config-schema.ts';
import { writeDurably } from '../host/durable-file.ts';
import type { Logger } from '../../shared/log.ts';
import { readOwn } from './files.ts';
import type { Random } from './reconnect.ts';
import { nextRefresh } from './schedule.ts';

export interface SchedulerParts {
  readonly refresh: RefreshConfig;
  readonly id: string;
  readonly stateDirectory: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly random: Random;
  /** The moment has come. */
  readonly due: () => void;
  /** There is a new next moment. */
  readonly changed: (next: Date | null) => void;
}

export interface Scheduler {
  readonly next: Date | null;
  stop(): void;
}

/** A timer may be this long; then the wall clock is looked at again, as it may have been set. */
const LONGEST_TIMER_MS = 15 * 60_000;
const CATCH_UP_SPREAD_MS = 5 * 60_000;

/** Calls `due` at each moment of the schedule. One that was missed while nothing ran is made up once. */
export function startScheduler(parts: SchedulerParts): Scheduler {
  const path = join(parts.stateDirectory, 'schedule.json');
  let next = firstMoment(parts, path);
  let timer: NodeJS.Timeout | undefined;

  const save = (): void => {
    if (next === null) return;
    try {
      writeDurably(path, JSON.stringify({ nextRefresh: next.toISOString() }));
    } catch (error) {
      // What is lost is that a refresh may be missed; without the agent, all of them would be.
      parts.log.error({ error }, 'Schedule could not be kept');
    }
  };
  const arm = (): void => {
    if (next === null) return;
    const left = next.getTime() - parts.now().getTime();
    timer = setTimeout(tick, Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
  };
  const tick = (): void => {
    const now = parts.now();
    if (next !== null && next <= now) {
      parts.due();
      next = nextRefresh(parts.refresh, parts.id, now);
      save();
      parts.changed(next);
    }
    arm();
  };
  save();
  arm();
  return {
    get next() {
      return next;
    },
    stop: () => {
      clearTimeout(timer);
    },
  };
}

/** As it was planned before a restart, unless the plan has changed; a missed one comes soon. */
function firstMoment(parts: SchedulerParts, path: string): Date | null {
  const { refresh, id, log, now, random } = parts;
  const planned = nextRefresh(refresh, id, now());
  const stored = readOwn(path, (value) => scheduleSchema.parse(value), log);
  if (planned === null || stored === null) return planned;
  const isMissed = new Date(stored.nextRefresh) <= now();
  if (!isMissed) return planned;
  const soon = new Date(now().getTime() + random() * CATCH_UP_SPREAD_MS);
  log.info({ missed: stored.nextRefresh, soon }, 'Refresh was missed');
  return soon < planned ? soon : planned;
}
