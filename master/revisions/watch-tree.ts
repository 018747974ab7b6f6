import { watch } from 'node:fs';
import { messageOf, systemCode } from '../../shared/errors.ts';
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

/** Of a file that nobody may read yet, or that is gone again, as those that editors write first: the others are watched. */
const OF_ONE_FILE: ReadonlySet<string> = new Set(['EACCES', 'ELOOP', 'ENOENT']);

/** A directory that cannot be watched (it is not there yet) is still polled. */
function startWatching(directory: string, nudge: () => void, log: Logger) {
  try {
    const watcher = watch(directory, { recursive: true }, nudge);
    watcher.on('error', (error) => {
      // What there is to read is seen, and told, by the next look.
      if (OF_ONE_FILE.has(systemCode(error) ?? '')) return nudge();
      log.warn({ directory, problem: messageOf(error) }, 'Tree watch failed');
    });
    return watcher;
  } catch (error) {
    log.warn({ directory, problem: messageOf(error) }, 'Tree watch failed');
    return null;
  }
}
