import { statSync } from 'node:fs';
import { join } from 'node:path';
import { reportSchema } from '../../protocol/report.ts';
import type { Report } from '../../protocol/report.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { fitReport } from '../fit-report.ts';
import { readStored, setAside, writeDurably } from '../host/durable-file.ts';
import { listOwn, putAside, removeOwn } from './files.ts';
import { knownRun } from './journal.ts';
import type { Link } from './link.ts';
import { damagedReport } from './missing-report.ts';
import { createUntaken } from './untaken.ts';
import type { Untaken } from './untaken.ts';

/**
 * Reports on their way to the master. Each is a file until the master has said that it has it; run
 * children put theirs here themselves. Those of dry runs, which write nothing, are kept in memory, as
 * are those that cannot be written: a full disk keeps no result from the master.
 */
export interface Spool {
  has(job: string): boolean;
  /** Keeps a report that no child could put here. */
  put(report: Report): void;
  /** `null` if it is not here. */
  get(job: string): Report | null;
  /** Ids of the jobs whose reports are here. */
  jobs(): string[];
  /**
   * Sends what is here, the oldest first, each after the one before is stored. What the master has not taken again and
   * again is put off for an hour, so that it does not keep back the others.
   */
  deliver(): void;
  /** The master has it. */
  stored(job: string): void;
  /** The session has ended; `threwOut`: the master could not bear what it got. */
  disconnected(threwOut: boolean): void;
}

export interface SpoolParts {
  readonly minion: string;
  readonly stateDirectory: string;
  readonly link: Link;
  readonly log: Logger;
  /** Whether the run is still to end here. Its report stays until then: without it the run would begin again. */
  readonly isUnfinished: (job: string) => boolean;
  readonly maximumBytes?: number;
  /** In milliseconds, by a clock that nobody sets; the process's own if absent. */
  readonly elapsed?: () => number;
}

const MAXIMUM_BYTES = 256 * 1024 * 1024;

export function openSpool(parts: SpoolParts): Spool {
  const { log, link, isUnfinished, elapsed = () => performance.now() } = parts;
  const directory = join(parts.stateDirectory, 'spool');
  const kept = openReports({ ...parts, directory });
  const untaken = createUntaken(elapsed);
  let underWay: string | null = null;

  const deliver = (): void => {
    if (underWay !== null || !link.isConnected) return;
    const next = kept.first((job) => !isUnfinished(job) && !untaken.isPutOff(job));
    if (next === null) return;
    underWay = next.job;
    link.send({ type: 'report', report: next }).catch((error: unknown) => {
      // It stays here; the next session sends it again.
      log.debug({ job: next.job, problem: messageOf(error) }, 'Report not sent');
    });
  };

  return {
    has: kept.has,
    put: kept.put,
    get: kept.get,
    jobs: kept.jobs,
    deliver: () => {
      shrink(parts, directory);
      deliver();
    },
    stored: (job) => {
      kept.remove(job);
      untaken.taken(job);
      if (underWay === job) underWay = null;
      deliver();
    },
    disconnected: (threwOut) => {
      const job = underWay;
      underWay = null;
      if (job !== null && threwOut) refused({ kept, untaken, log }, job);
    },
  };
}

interface Refusing extends Pick<SpoolParts, 'log'> {
  readonly kept: ReturnType<typeof openReports>;
  readonly untaken: Untaken;
}

/** One that is only in memory would be lost if it were put aside. */
function refused({ kept, untaken, log }: Refusing, job: string): void {
  const isHopeless = untaken.refused(job);
  if (untaken.isPutOff(job)) log.warn({ job }, 'Report was not taken and is put off');
  if (!isHopeless || kept.isInMemory(job)) return;
  untaken.forget(job);
  log.error({ job, aside: kept.putAside(job) }, 'Report was not taken and has been put aside');
}

interface SpoolPlace extends Pick<SpoolParts, 'minion' | 'stateDirectory' | 'log'> {
  readonly directory: string;
}

type MayGo = (job: string) => boolean;

/** Reports as files, and in memory what can be none. */
function openReports(place: SpoolPlace) {
  const { directory, log } = place;
  const memory = new Map<string, Report>();
  return {
    has: (job: string): boolean => memory.has(job) || jobsIn(directory).includes(job),
    put: (whole: Report): void => {
      const report = fitReport(whole);
      const { job, dryRun } = report;
      if (dryRun || !isWritten(pathOf(directory, job), report, log)) memory.set(job, report);
    },
    get: (job: string): Report | null => memory.get(job) ?? readReport(place, job),
    jobs: (): string[] => [...new Set([...jobsIn(directory), ...memory.keys()])],
    first: (mayGo: MayGo): Report | null =>
      firstReport(place, mayGo) ?? [...memory.values()].find(({ job }) => mayGo(job)) ?? null,
    remove: (job: string): void => {
      memory.delete(job);
      removeOwn(pathOf(directory, job));
    },
    isInMemory: (job: string): boolean => memory.has(job),
    /** Where it is now. */
    putAside: (job: string): string => setAside(pathOf(directory, job)),
  };
}

function isWritten(path: string, report: Report, log: Logger): boolean {
  try {
    writeDurably(path, JSON.stringify(report));
    return true;
  } catch (error) {
    log.error({ job: report.job, error }, 'Report could not be spooled and is kept in memory');
    return false;
  }
}

/** In place of a report that is damaged comes one that says so: whoever waits for it is told how it ends. */
function readReport(
  { directory, stateDirectory, minion, log }: SpoolPlace,
  job: string,
): Report | null {
  const path = pathOf(directory, job);
  const stored = readStored(path, reportSchema);
  if (stored.status === 'missing') return null;
  if (stored.status === 'ok' && stored.value.job === job) return stored.value;
  const why = stored.status === 'ok' ? `it is of job ${stored.value.job}` : stored.why;
  putAside(path, why, log);
  const run = { job, entry: knownRun(stateDirectory, job) };
  const report = damagedReport(minion, run, new Date());
  return isWritten(path, report, log) ? report : null;
}

function pathOf(directory: string, job: string): string {
  return join(directory, `${job}.json`);
}

function jobsIn(directory: string): string[] {
  return listOwn(directory, /^[0-9a-f-]{36}\.json$/u).map((name) => name.slice(0, -5));
}

/** One that is not this minion's (its id was another) is put aside, and the next one tried. */
function firstReport(place: SpoolPlace, mayGo: MayGo): Report | null {
  const { directory, minion, log } = place;
  for (const job of jobsIn(directory).filter(mayGo)) {
    const path = pathOf(directory, job);
    const report = readReport(place, job);
    if (report?.minion === minion) return report;
    if (report !== null)
      log.error({ job, of: report.minion, aside: setAside(path) }, 'Report was of another minion');
  }
  return null;
}

/** The oldest reports go first when there are too many: the newest say how the host is. */
function shrink(
  { maximumBytes = MAXIMUM_BYTES, isUnfinished, log }: SpoolParts,
  directory: string,
): void {
  const files = jobsIn(directory).map((job) => {
    const path = pathOf(directory, job);
    return { job, path, size: statSync(path).size };
  });
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { job, path, size } of files.filter((file) => !isUnfinished(file.job))) {
    if (total <= maximumBytes) return;
    removeOwn(path);
    total -= size;
    log.error({ job, size }, 'Spool was full: oldest report dropped');
  }
}
