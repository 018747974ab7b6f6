import { join } from 'node:path';
import { pauseSchema } from '../../protocol/pause.ts';
import type { Pause, PauseRequest } from '../../protocol/pause.ts';
import type { Logger } from '../../shared/log.ts';
import { writeDurably } from '../host/durable-file.ts';
import { readOwn, removeOwn } from './files.ts';

/** What holds back the runs that this minion would make by itself. */
export interface Pauses {
  /** `null` if nothing does. One whose time is over is gone. */
  current(): Pause | null;
  /** In place of one that there is; on disk when it returns. */
  begin(request: PauseRequest, by: Pause['by']): Pause;
  /** What has been lifted; `null` if there was nothing. */
  lift(): Pause | null;
}

export interface PausesParts {
  readonly stateDirectory: string;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed: () => number;
  readonly log: Logger;
  /** One has begun, or ended, or is known not to be. */
  readonly changed: () => void;
}

interface Held {
  readonly pause: Pause;
  /** By the clock that nobody sets. */
  readonly deadline: number;
}

/** Takes up what a process before this one has kept. */
export function openPauses(parts: PausesParts): Pauses {
  const { log, changed } = parts;
  const path = pathIn(parts.stateDirectory);
  let held = keptPause(parts, path);

  const drop = (how: string): void => {
    log.info({ until: held?.pause.until, why: held?.pause.why }, how);
    held = null;
    try {
      removeOwn(path);
    } catch (error) {
      // It is over all the same, and would be after a restart.
      log.error({ path, error }, 'Pause could not be forgotten');
    }
  };
  return {
    current: () => {
      if (held === null) return null;
      if (!isOver(parts, held)) return held.pause;
      drop('Pause has ended');
      changed();
      return null;
    },
    begin: ({ seconds, why }, by) => {
      const pause = pauseFrom(parts.now(), { seconds, why, by });
      writeDurably(path, JSON.stringify(pause));
      held = { pause, deadline: parts.elapsed() + seconds * 1000 };
      log.warn({ until: pause.until, why, by }, 'Scheduled runs were paused');
      changed();
      return pause;
    },
    lift: () => {
      const lifted = held?.pause ?? null;
      if (lifted !== null) drop('Pause was lifted');
      // Whoever asks waits to be told that there is none.
      changed();
      return lifted;
    },
  };
}

function pauseFrom(now: Date, { seconds, why, by }: PauseRequest & Pick<Pause, 'by'>): Pause {
  const until = new Date(now.getTime() + seconds * 1000);
  return { since: now.toISOString(), until: until.toISOString(), why, by };
}

/** Either clock may say so: that of the wall may be set, the other one does not count what the machine slept. */
function isOver({ now, elapsed }: PausesParts, { pause, deadline }: Held): boolean {
  return elapsed() >= deadline || now().getTime() >= Date.parse(pause.until);
}

/** The pause that a state directory holds, for who only looks; `null` if there is none, or its time is over. */
export function pauseIn(
  stateDirectory: string,
  { now, log }: Pick<PausesParts, 'now' | 'log'>,
): Pause | null {
  const kept = readOwn(pathIn(stateDirectory), (value) => pauseSchema.parse(value), log);
  return kept === null || Date.parse(kept.until) <= now().getTime() ? null : kept;
}

function pathIn(stateDirectory: string): string {
  return join(stateDirectory, 'pause.json');
}

/** What an agent before this one has kept. */
function keptPause(parts: Omit<PausesParts, 'changed'>, path: string): Held | null {
  const kept = readOwn(path, (value) => pauseSchema.parse(value), parts.log);
  if (kept === null) return null;
  const pause = anchored(kept, parts.now());
  if (pause !== kept) writeDurably(path, JSON.stringify(pause));
  const left = Date.parse(pause.until) - parts.now().getTime();
  return { pause, deadline: parts.elapsed() + left };
}

/** A clock that shows a time before the pause began has been set back: its length is all that can be believed. */
function anchored(pause: Pause, now: Date): Pause {
  const length = Date.parse(pause.until) - Date.parse(pause.since);
  if (Date.parse(pause.since) <= now.getTime()) return pause;
  return pauseFrom(now, { ...pause, seconds: Math.ceil(length / 1000) });
}
