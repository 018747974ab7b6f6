import type { RunEvent } from '../../protocol/report.ts';
import type { Logger } from '../../shared/log.ts';
import type { JournalEntry, Prepared } from '../agent-files.ts';
import { changedBefore } from '../earlier-starts.ts';
import type { Journal } from './journal.ts';
import { missingReport } from './missing-report.ts';
import { endOfOrphan } from './orphan.ts';
import type { Preparer } from './prepare.ts';
import { tellPreparing } from './preparing.ts';
import { asRefused, cancelled, expired, killed, lost, overdue, stale } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { requestFor } from './request-for.ts';
import type { Place } from './request-for.ts';
import { PATIENCE } from './run-child.ts';
import type { Patience, RunChild, StartChild } from './run-child.ts';
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
  /** With runs of an agent before us; as with our own if absent. */
  readonly patience?: Patience;
  /** All that happens in any run. */
  readonly onEvent: (entry: JournalEntry, event: RunEvent) => void;
  /** A report is in the spool, and may go to the master. */
  readonly onEnd: (entry: JournalEntry) => void;
}

/** The run that has its turn. */
export interface Current {
  entry: JournalEntry;
  /** When it got its turn. */
  readonly since: string;
  child: RunChild | null;
  /** Where its child is, as far as it has told us. */
  at: string;
  isOverdue: boolean;
  readonly cancel: AbortController;
}

/** After this many starts without a report the run itself is what ends its process. */
const MOST_STARTS = 3;
/** What starts sooner than this is never late, whatever the clocks say. */
const PROMPT_MS = 60_000;
const UNSEEN = 'at a state that the agent, which was started again meanwhile, has not seen';
const FIRST = 'before its first state';

export function beginning(entry: JournalEntry, now: Date): Current {
  const since = now.toISOString();
  const at = entry.child === null ? FIRST : UNSEEN;
  return { entry, since, child: null, at, isOverdue: false, cancel: new AbortController() };
}

export function cancelRun({ cancel, child }: Current): void {
  cancel.abort();
  child?.cancel();
}

/** Takes one run to its report. Throws if it can have none. */
export async function runOne(parts: RunsParts, current: Current): Promise<void> {
  const { entry } = current;
  const { spool, journal } = parts;
  try {
    if (entry.child !== null) await outlived(parts, current, entry.child);
    if (spool.has(entry.options.job)) journal.end(entry.options.job);
    else await untilReported(parts, current);
  } catch (error) {
    parts.log.error({ job: entry.options.job, error }, 'Run failed in the agent');
    // What it has reported itself is truer than that we could not put our papers in order after it.
    if (!spool.has(entry.options.job)) report(parts, entry, 'failed', asRefused(error));
  }
}

/** A child of an agent before us may still be at work. */
async function outlived(
  { log, patience = PATIENCE }: RunsParts,
  current: Current,
  child: NonNullable<JournalEntry['child']>,
): Promise<void> {
  const { cancel, entry } = current;
  const { timeoutSeconds } = entry.options;
  const orphan = { ...child, timeoutSeconds, cancel: cancel.signal, log, patience };
  ({ isOverdue: current.isOverdue } = await endOfOrphan(orphan));
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
  current.at = FIRST;
  parts.journal.put(entry);
  parts.log.info({ job: entry.options.job, start: entry.starts }, 'Run started');
  const request = requestFor(parts, entry, prepared);
  const child = parts.startChild(request, (event) => {
    if (event.event === 'report') parts.spool.put(event.report);
    else tellOf(parts, current, event);
  });
  current.child = child;
  noteChild(parts, entry, child);
  ({ isOverdue: current.isOverdue } = await child.ended);
  current.child = null;
}

/** For the next agent, which waits for it: without that it starts the run again, and that waits. The run goes on in any case. */
function noteChild(
  { journal, log }: RunsParts,
  entry: JournalEntry,
  { pid, bornAt }: RunChild,
): void {
  if (pid === null || bornAt === null) return;
  try {
    journal.put({ ...entry, child: { pid, bornAt } });
  } catch (error) {
    log.error({ job: entry.options.job, pid, error }, 'Process of a run could not be journalled');
  }
}

function tellOf({ onEvent }: RunsParts, current: Current, event: RunEvent): void {
  if (event.event === 'started')
    current.at = `at state ${event.number} of ${event.total}, "${event.id}" (${event.type})`;
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
