import { closeSync, openSync } from 'node:fs';
import type { Journal } from './journal.ts';
import type { Spool } from './spool.ts';

/**
 * File descriptors that are kept open for nothing, so that an agent that has run out of them can still look into its
 * own files and answer its master.
 */
export interface Reserve {
  /** Does something that opens few files and ends at once, with the reserve if there are no others. */
  readonly lend: <T>(act: () => T) => T;
}

/** A file, the directory that it is in, and what somebody else may take meanwhile. */
const KEPT = 4;

export function createReserve(): Reserve {
  const kept: number[] = [];
  fill(kept);
  return {
    lend(act) {
      if (hasRoom()) return act();
      for (const fd of kept.splice(0)) closeSync(fd);
      try {
        return act();
      } finally {
        fill(kept);
      }
    },
  };
}

export function lentJournal({ lend }: Reserve, journal: Journal): Journal {
  return {
    put: (entry) => lend(() => journal.put(entry)),
    end: (job) => lend(() => journal.end(job)),
    hasEnded: (job) => journal.hasEnded(job),
    all: () => lend(() => journal.all()),
  };
}

export function lentSpool({ lend }: Reserve, spool: Spool): Spool {
  return {
    has: (job) => lend(() => spool.has(job)),
    put: (report) => lend(() => spool.put(report)),
    get: (job) => lend(() => spool.get(job)),
    jobs: () => lend(() => spool.jobs()),
    deliver: () => lend(() => spool.deliver()),
    stored: (job) => lend(() => spool.stored(job)),
    disconnected: (threwOut) => lend(() => spool.disconnected(threwOut)),
  };
}

function fill(kept: number[]): void {
  while (kept.length < KEPT) {
    const fd = openNothing();
    if (fd === null) return;
    kept.push(fd);
  }
}

function hasRoom(): boolean {
  const probes: number[] = [];
  fill(probes);
  for (const fd of probes) closeSync(fd);
  return probes.length === KEPT;
}

/** `null` if there is no descriptor left. */
function openNothing(): number | null {
  try {
    return openSync('/dev/null', 'r');
  } catch {
    return null;
  }
}
