import { ConductorError } from '../../shared/errors.ts';
import type { Job, ReportSummary, Store } from '../store/store.ts';

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
  const [run, another] = found;
  if (run !== undefined && another === undefined) return run;
  const why = run === undefined ? 'no job has that id' : 'more than one job begins so';
  throw new ConductorError('JOB_UNKNOWN', `Cannot find the job "${id}": ${why}`);
}

async function beginningWith(store: Store, prefix: string): Promise<Run[]> {
  const recent = await store.jobs.list(1000);
  const jobs = recent.filter(({ id }) => id.startsWith(prefix));
  const own = await store.reports.withoutJob({ limit: 2, prefix });
  return [...jobs.map(runOfJob), ...own.map(runOfReport)];
}

/** Newest first; all kinds, or one. */
export async function listRuns(
  store: Store,
  { limit, kind }: { limit: number; kind: ReportSummary['cause'] | undefined },
): Promise<Run[]> {
  const jobs = kind === undefined || kind === 'job' ? await store.jobs.list(limit) : [];
  const own = kind === 'job' ? [] : await store.reports.withoutJob({ limit, cause: kind });
  return [...jobs.map(runOfJob), ...own.map(runOfReport)]
    .toSorted((a, b) => madeAt(b).localeCompare(madeAt(a)))
    .slice(0, limit);
}

function madeAt(run: Run): string {
  return run.kind === 'job' ? run.job.createdAt : run.own.startedAt;
}

function runOfJob(job: Job): Run {
  return { kind: 'job', job };
}

function runOfReport(own: ReportSummary): Run {
  return { kind: 'own', own };
}
