import { ConductorError } from '../../shared/errors.ts';
import type { Job, ReportSummary, RunQuery, Store } from '../store/store.ts';

/** What an operator asked for, or what a minion did by itself and reported. */
export type Run =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'own'; readonly own: ReportSummary };

/** Shorter beginnings of an id are no id. */
const PREFIX_LENGTH = 4;

/** By its id or the beginning of it. Throws JOB_UNKNOWN. */
export async function findRun(store: Store, id: string): Promise<Run> {
  const exact = await store.jobs.get(id);
  if (exact !== null) return { kind: 'job', job: exact };
  const found = id.length < PREFIX_LENGTH ? [] : await beginningWith(store, id);
  const [run] = found;
  // Several minions may have reported of one job that the store does not know, as one from a backup.
  if (run !== undefined && found.every((one) => idOf(one) === idOf(run))) return run;
  const why = run === undefined ? 'no job has that id' : 'more than one job begins so';
  throw new ConductorError('JOB_UNKNOWN', `Cannot find the job "${id}": ${why}`);
}

async function beginningWith(store: Store, prefix: string): Promise<Run[]> {
  const jobs = await store.jobs.list({ limit: 2, prefix });
  const own = await store.reports.withoutJob({ limit: 2, prefix });
  return [...jobs.map(runOfJob), ...own.map(runOfReport)];
}

export interface ListedRuns {
  readonly runs: readonly Run[];
  /** Id of the last, if there are older ones. */
  readonly next: string | null;
}

/** Newest first; all kinds, or one. */
export async function listRuns(
  store: Store,
  { kind, ...query }: RunQuery & { kind: ReportSummary['cause'] | undefined },
): Promise<ListedRuns> {
  // One more, to know whether there are more.
  const asked = { ...query, limit: query.limit + 1 };
  const jobs = kind === undefined || kind === 'job' ? await store.jobs.list(asked) : [];
  const own = kind === 'job' ? [] : await store.reports.withoutJob({ ...asked, cause: kind });
  const found = [...jobs.map(runOfJob), ...own.map(runOfReport)].toSorted(newestFirst);
  const runs = found.slice(0, query.limit);
  const last = found.length > runs.length ? runs.at(-1) : undefined;
  return { runs, next: last === undefined ? null : idOf(last) };
}

function newestFirst(a: Run, b: Run): number {
  return madeAt(b).localeCompare(madeAt(a)) || idOf(b).localeCompare(idOf(a));
}

export function idOf(run: Run): string {
  return run.kind === 'job' ? run.job.id : run.own.job;
}

export function madeAt(run: Run): string {
  return run.kind === 'job' ? run.job.createdAt : run.own.startedAt;
}

function runOfJob(job: Job): Run {
  return { kind: 'job', job };
}

function runOfReport(own: ReportSummary): Run {
  return { kind: 'own', own };
}
