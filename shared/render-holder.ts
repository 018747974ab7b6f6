/** Which run another one waits for. */
export interface ShownHolder {
  readonly pid: number;
  readonly since: string;
  readonly job: string | null;
  readonly cause: string | null;
}

/** `job 0190… (local, pid 4711, since 2026-03-01T04:12:00.000Z)`. */
export function renderHolder(holder: ShownHolder | null): string {
  if (holder === null) return 'another run';
  const { pid, since, job, cause } = holder;
  const process = `pid ${pid}, since ${since}`;
  return job === null ? `a dry run (${process})` : `job ${job} (${cause}, ${process})`;
}
