import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../protocol/report.ts';
import type { Logger } from '../../shared/log.ts';
import type { JournalEntry, Prepared } from '../agent-files.ts';
import { changedBefore } from '../earlier-starts.ts';
import { birthOf } from '../host/process-birth.ts';
import { catches, signalTo } from '../host/processes.ts';
import type { Journal } from './journal.ts';
import { missingReport } from './missing-report.ts';
import type { Preparer } from './prepare.ts';
import { tellPreparing } from './preparing.ts';
import { asRefused, cancelled, expired, killed, lost, overdue, stale } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { requestFor } from './request-for.ts';
import type { Place } from './request-for.ts';
import { CANCEL } from './run-child.ts';
import type { RunChild, StartChild } from './run-child.ts';
import { endLeft } from './run-end.ts';
import type { Reserve } from './reserve.ts';
import type { Spool } from './spool.ts';

export interface RunsParts extends Place {
  readonly journal: Journal;
  readonly spool: Spool;
  readonly reserve: Reserve;
  readonly preparer: Preparer;
  readonly startChild: StartChild;
  readonly log: Logger;
  readonly now: () => Date;
  /** All that happens in any run. */
  readonly onEvent: (entry: JournalEntry, event: RunEvent) => void;
  /** A report is in the spool. */
  readonly onEnd: (entry: JournalEntry) => void;
}

/** The run that has its turn. */
export interface Current {
  entry: JournalEntry;
  /** When it got its turn. */
  readonly since: string;
  child: RunChild | null;
  /** What its child said last that it is at. */
  at: string | null;
  isOverdue: boolean;
  readonly cancel: AbortController;
}

/** After this many starts without a report the run itself is what ends its process. */
const MOST_STARTS = 3;
/** What starts sooner than this is never late, whatever the clocks say. */
const PROMPT_MS = 60_000;
const POLL_MS = 500;

export function beginning(entry: JournalEntry, now: Date): Current {
  const since = now.toISOString();
  return { entry, since, child: null, at: null, isOverdue: false, cancel: new AbortController() };
}

export function cancelRun({ cancel, child }: Current): void {
  cancel.abort();
  child?.cancel();
}

/** Takes one run to its report. */
export async function runOne(parts: RunsParts, current: Current): Promise<void> {
  const { entry } = current;
  const { spool, journal } = parts;
  try {
    if (entry.child !== null) await endOfOrphan(parts, entry.child, current);
    if (spool.has(entry.options.job)) journal.end(entry.options.job);
    else await untilReported(parts, current);
  } catch (error) {
    parts.log.error({ job: entry.options.job, error }, 'Run failed in the agent');
    report(parts, entry, 'failed', asRefused(error));
  }
  parts.onEnd(entry);
}

/** A child of an agent before us may still be at work; it spools its report itself. */
async function endOfOrphan(
  { log }: RunsParts,
  { pid, bornAt }: NonNullable<JournalEntry['child']>,
  current: Current,
): Promise<void> {
  while (birthOf(pid) === bornAt) {
    if (current.cancel.signal.aborted) signalTo(pid, catches(pid, CANCEL) ? CANCEL : 'SIGTERM');
    await sleep(POLL_MS);
  }
  await endLeft(pid, log);
}

/** A child that dies without a report has its run started again. */
async function untilReported(parts: RunsParts, current: Current): Promise<void> {
  const { preparer, spool, log } = parts;
  const { job, stateFiles, dryRun } = current.entry.options;
  while (!spool.has(job)) {
    const refusal = whyNot(parts, current);
    if (refusal !== null) return report(parts, current.entry, ...refusal);
    const { revision } = current.entry;
    const preparing = tellPreparing((event) => tellOf(parts, current, event));
    const { onFetched } = preparing;
    const preparation = await unlessCancelled(
      current,
      preparer.prepare({ revision, stateFiles, dryRun, onFetched }),
    ).finally(() => preparing.end());
    if (preparation === null || current.cancel.signal.aborted) continue;
    if (preparation.status === 'refused')
      return report(parts, current.entry, 'failed', preparation.error);
    await runChild(parts, current, preparation.prepared);
    if (!spool.has(job)) log.error({ job }, 'Run ended without a report');
  }
  parts.journal.end(job);
}

/** `null` if the run is cancelled first: nobody waits then for a master that is slow. */
async function unlessCancelled<T>(
  { cancel: { signal } }: Current,
  work: Promise<T>,
): Promise<T | null> {
  const isCancelled = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  return Promise.race([work, isCancelled]);
}

function whyNot({ now }: RunsParts, { entry, cancel, at, isOverdue }: Current): Refusal | null {
  const { signal } = cancel;
  if (signal.aborted) return ['cancelled', entry.starts === 0 ? cancelled() : killed(at)];
  if (isOverdue) return ['timeout', overdue(entry.options.timeoutSeconds, at)];
  if (entry.starts >= MOST_STARTS)
    return ['interrupted', lost(`${entry.starts} starts have ended without a report`)];
  if (isLate(entry, now()))
    return entry.starts > 0 ? ['interrupted', stale()] : ['expired', expired()];
  return null;
}

/** One that was killed has the time that it would have had: later its tree is another one by now. */
function isLate({ receivedAt, expiresAt, starts, options }: JournalEntry, now: Date): boolean {
  const begun = expiresAt ?? receivedAt;
  const untilMs = Date.parse(begun) + (starts > 0 ? options.timeoutSeconds * 1000 : 0);
  const waitedMs = now.getTime() - Date.parse(receivedAt);
  const isBounded = starts > 0 || expiresAt !== null;
  return isBounded && waitedMs >= PROMPT_MS && untilMs < now.getTime();
}

/** That it has started is on disk before it has any effect. */
async function runChild(parts: RunsParts, current: Current, prepared: Prepared): Promise<void> {
  const entry = { ...current.entry, starts: current.entry.starts + 1, child: null };
  current.entry = entry;
  parts.journal.put(entry);
  parts.log.info({ job: entry.options.job, start: entry.starts }, 'Run started');
  const request = requestFor(parts, entry, prepared);
  const child = parts.startChild(request, (event) => {
    if (event.event === 'report') parts.spool.put(event.report);
    else tellOf(parts, current, event);
  });
  current.child = child;
  const { pid, bornAt } = child;
  if (pid !== null && bornAt !== null) parts.journal.put({ ...entry, child: { pid, bornAt } });
  ({ isOverdue: current.isOverdue } = await child.ended);
  current.child = null;
}

function tellOf({ onEvent }: RunsParts, current: Current, event: RunEvent): void {
  if (event.event === 'started')
    current.at = `state ${event.number} of ${event.total}, "${event.id}" (${event.type})`;
  onEvent(current.entry, event);
}

/** The agent's own report, for a run that made none. */
export function report(
  { minion, spool, journal, now, stateDirectory, reserve }: RunsParts,
  { options, revision, receivedAt }: JournalEntry,
  ...[status, error]: Refusal
): void {
  const startedAt = new Date(receivedAt);
  // A clock that was set back meanwhile must not end it before it began.
  const endedAt = new Date(Math.max(now().getTime(), startedAt.getTime()));
  const outcomes = reserve.lend(() => changedBefore(stateDirectory, options.job));
  const run = { minion, options, revision, startedAt, endedAt, outcomes };
  spool.put(missingReport(run, status, error));
  journal.end(options.job);
}
