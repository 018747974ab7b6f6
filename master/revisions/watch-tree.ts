import { watch } from 'node:fs';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';

export interface TreeWatch {
  stop(): void;
}

interface WatchOptions {
  readonly log: Logger;
  readonly debounceMs?: number;
  /** Looked at in any case, should the system miss an event. */
  readonly pollMs?: number;
}

/** Calls `changed` soon after something below a directory has changed, and now and then besides. */
export function watchTree(
  directory: string,
  changed: () => Promise<void>,
  { log, debounceMs = 200, pollMs = 10_000 }: WatchOptions,
): TreeWatch {
  let soon: NodeJS.Timeout | null = null;
  const run = () => {
    soon = null;
    changed().catch((error: unknown) => {
      log.error({ error }, 'Tree not read');
    });
  };
  const nudge = () => {
    if (soon !== null) clearTimeout(soon);
    soon = setTimeout(run, debounceMs);
  };
  const watcher = startWatching(directory, nudge, log);
  const poll = setInterval(run, pollMs);
  return {
    stop() {
      watcher?.close();
      clearInterval(poll);
      if (soon !== null) clearTimeout(soon);
    },
  };
}

/** A directory that cannot be watched (it is not there yet) is still polled. */
function startWatching(directory: string, nudge: () => void, log: Logger) {
  try {
    const watcher = watch(directory, { recursive: true }, nudge);
    watcher.on('error', (error) => {
      log.warn({ directory, problem: messageOf(error) }, 'Tree watch failed');
    });
    return watcher;
  } catch (error) {
    log.warn({ directory, problem: messageOf(error) }, 'Tree watch failed');
    return null;
  }
}
