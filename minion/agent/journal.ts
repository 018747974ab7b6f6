import { join } from 'node:path';
import { journalEntrySchema } from '../agent-files.ts';
import type { JournalEntry } from '../agent-files.ts';
import { readStored, writeDurably } from '../host/durable-file.ts';
import type { Logger } from '../../shared/log.ts';
import { openEndedJobs } from './ended-jobs.ts';
import { listOwn, readOwn } from './files.ts';

/**
 * The runs that this minion has promised and that have no report yet; on disk when a call returns. Dry runs are left
 * out, as they write nothing: one that is lost with this process is `interrupted`, and had no effect.
 */
export interface Journal {
  put(entry: JournalEntry): void;
  /** It has a report now. */
  end(job: string): void;
  hasEnded(job: string): boolean;
  /** In the order in which they came. */
  all(): JournalEntry[];
}

/** What is still known of a run here, whether it has ended or not; `null` if nothing is. */
export function knownRun(stateDirectory: string, job: string): JournalEntry | null {
  for (const name of ['jobs', 'ended']) {
    const stored = readStored(join(stateDirectory, name, `${job}.json`), journalEntrySchema);
    if (stored.status === 'ok' && stored.value.options.job === job) return stored.value;
  }
  return null;
}

export function openJournal(stateDirectory: string, log: Logger): Journal {
  const directory = join(stateDirectory, 'jobs');
  const ended = openEndedJobs(join(stateDirectory, 'ended'), log);
  const pathOf = (job: string): string => join(directory, `${job}.json`);
  return {
    put: (entry) => {
      if (entry.options.dryRun) return;
      writeDurably(pathOf(entry.options.job), JSON.stringify(entry));
    },
    end: (job) => ended.take(job, pathOf(job)),
    hasEnded: (job) => ended.has(job),
    all: () =>
      listOwn(directory, /^[0-9a-f-]{36}\.json$/u)
        .map((name) => readOwn(join(directory, name), entryOf(name.slice(0, -5)), log))
        .filter((entry) => entry !== null)
        .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt)),
  };
}

/** Reads the entry of one job; a copy under the name of another would make an ended run run again. */
function entryOf(job: string): (value: unknown) => JournalEntry {
  return (value) => {
    const entry = journalEntrySchema.parse(value);
    if (entry.options.job === job) return entry;
    throw new Error(`it is of job ${entry.options.job}`);
  };
}
