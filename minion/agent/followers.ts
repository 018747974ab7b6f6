import type { RunEvent } from '../../protocol/report.ts';
import type { JournalEntry } from '../agent-files.ts';
import { createEventRelay } from './event-relay.ts';
import type { EventRelay } from './event-relay.ts';
import type { Link } from './link.ts';

/** Sees the events of one run; `end` comes when its report is in the spool. */
export interface Watcher {
  event(event: RunEvent): void;
  end(job: string): void;
}

/** Whoever wants to hear of runs while they go on: the master of its jobs, callers of theirs. */
export interface Followers {
  add(job: string, watcher: Watcher): void;
  event(entry: JournalEntry, event: RunEvent): void;
  /** Resolves when all have been told what there was. */
  end(job: string): Promise<void>;
}

export function createFollowers(link: Link): Followers {
  const watchers = new Map<string, Watcher[]>();
  const relays = new Map<string, EventRelay>();

  const relayOf = (job: string): EventRelay => {
    const known = relays.get(job);
    if (known !== undefined) return known;
    const send = (event: RunEvent) => link.send({ type: 'job-event', job, event });
    const relay = createEventRelay({ send });
    relays.set(job, relay);
    return relay;
  };

  return {
    add: (job, watcher) => {
      watchers.set(job, [...(watchers.get(job) ?? []), watcher]);
    },
    event: ({ options: { job, cause } }, event) => {
      for (const watcher of watchers.get(job) ?? []) watcher.event(event);
      if (cause === 'job') relayOf(job).add(event);
    },
    end: async (job) => {
      for (const watcher of watchers.get(job) ?? []) watcher.end(job);
      watchers.delete(job);
      await relays.get(job)?.finish();
      relays.delete(job);
    },
  };
}
