import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { listOwn, removeOwn } from './files.ts';

/** More than a master can still have on its way. */
const MOST = 500;

/**
 * Which jobs have been done here and have a report, so that none of them is done again: a master that has been put back
 * to a copy of yesterday's sends them anew. Those of dry runs, which write nothing, are remembered for as long as this
 * process lives.
 */
export interface EndedJobs {
  has(job: string): boolean;
  /** Its file in the journal, if it has one, becomes what is remembered of it. */
  take(job: string, journalled: string): void;
}

export function openEndedJobs(directory: string, log: Logger): EndedJobs {
  const memory = new Set<string>();
  const pathOf = (job: string): string => join(directory, `${job}.json`);

  function keep(job: string, journalled: string): void {
    try {
      renameSync(journalled, pathOf(job));
      prune(directory);
    } catch (error) {
      removeOwn(journalled);
      memory.add(job);
      if (systemCode(error) !== 'ENOENT')
        log.warn({ job, problem: messageOf(error) }, 'End of a job is remembered in memory only');
    }
  }

  return {
    has: (job) => memory.has(job) || existsSync(pathOf(job)),
    take: (job, journalled) => {
      if (!existsSync(journalled) && (memory.has(job) || existsSync(pathOf(job)))) return;
      keep(job, journalled);
      const [first] = memory;
      if (memory.size > MOST && first !== undefined) memory.delete(first);
    },
  };
}

/** The oldest go: ids begin with the time. */
function prune(directory: string): void {
  for (const name of listOwn(directory, /^[0-9a-f-]{36}\.json$/u).slice(0, -MOST))
    rmSync(join(directory, name), { force: true, recursive: true });
}
