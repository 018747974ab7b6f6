import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../protocol/report.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { JournalEntry, Prepared } from '../agent-files.ts';
import type { Journal } from './journal.ts';
import { missingReport } from './missing-report.ts';
import type { Preparer } from './prepare.ts';
import { busy, cancelled, expired, lost, tooMany } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { requestFor } from './request-for.ts';
import type { Place } from './request-for.ts';
import { birthOf } from './process-birth.ts';
import type { RunChild, StartChild } from './run-child.ts';
import type { Spool } from './spool.ts';

export interface RunsParts extends Place {
  readonly journal: Journal;
  readonly spool: Spool;
  readonly preparer: Preparer;
  readonly startChild: StartChild;
  readonly log: Logger;
  readonly now: () => Date;
  /** All that happens in any run. */
  readonly onEvent: (entry: JournalEntry, event: RunEvent) => void;
  /** A report is in the spool. */
  readonly onEnd: (entry: JournalEntry) => void;
}

/** The runs of this minion: one at a time, the others wait. */
export interface Runs {
  /** Journals it and lets it run, or reports why that cannot be; `false` if it is known here already. */
  add(entry: JournalEntry): boolean;
  cancel(job: string): void;
  knows(job: string): boolean;
  /** Whether it has to wait for another. */
  isWaiting(job: string): boolean;
  readonly running: JournalEntry | null;
  readonly waiting: readonly JournalEntry[];
  /** Takes up what a process before this one has not finished. */
  recover(): void;
  /** Starts nothing more; what runs goes on without us. */
  stop(): void;
}

const MOST_WAITING = 32;
/** After this many starts without a report the run itself is what ends its process. */
const MOST_STARTS = 3;
/** What starts sooner than this is never late, whatever the clocks say. */
const PROMPT_MS = 60_000;
const POLL_MS = 500;

interface Current {
  entry: JournalEntry;
  child: RunChild | null;
  isCancelled: boolean;
}

interface Queue {
  readonly waiting: JournalEntry[];
  current: Current | null;
  isStopped: boolean;
}

export function createRuns(parts: RunsParts): Runs {
  const queue: Queue = { waiting: [], current: null, isStopped: false };
  const { waiting } = queue;
  return {
    add: (entry) => add(parts, queue, entry),
    cancel: (job) => cancel(parts, queue, job),
    knows: (job) => knows(parts, queue, job),
    isWaiting: (job) => waiting.some(({ options }) => options.job === job),
    get running() {
      return queue.current?.entry ?? null;
    },
    waiting,
    recover: () => {
      waiting.push(...parts.journal.all());
      void work(parts, queue);
    },
    stop: () => {
      queue.isStopped = true;
    },
  };
}

function knows({ spool }: RunsParts, { current, waiting }: Queue, job: string): boolean {
  const isHere = ({ options }: JournalEntry): boolean => options.job === job;
  return (current !== null && isHere(current.entry)) || waiting.some(isHere) || spool.has(job);
}

function add(parts: RunsParts, queue: Queue, entry: JournalEntry): boolean {
  if (knows(parts, queue, entry.options.job)) return false;
  const problem = whyBusy(queue, entry) ?? journalled(parts, entry);
  if (problem !== null) {
    end(parts, entry, 'failed', problem);
    return true;
  }
  queue.waiting.push(entry);
  void work(parts, queue);
  return true;
}

function whyBusy({ current, waiting }: Queue, entry: JournalEntry): Refusal[1] | null {
  if (waiting.length >= MOST_WAITING) return tooMany(MOST_WAITING);
  const other = current?.entry ?? waiting[0];
  return entry.queue === false && other !== undefined ? busy(other.options) : null;
}

/** What cannot be promised is refused: why, if the journal does not take it. */
function journalled({ journal, log }: RunsParts, entry: JournalEntry): Refusal[1] | null {
  try {
    journal.put(entry);
    return null;
  } catch (error) {
    log.error({ job: entry.options.job, error }, 'Run could not be journalled');
    return asRefused(error);
  }
}

function asRefused(error: unknown): Refusal[1] {
  const code = error instanceof ConductorError ? error.code : 'BUG';
  return { code, message: messageOf(error) };
}

function cancel(parts: RunsParts, { waiting, current }: Queue, job: string): void {
  const index = waiting.findIndex(({ options }) => options.job === job);
  const [entry] = index === -1 ? [] : waiting.splice(index, 1);
  if (entry !== undefined) end(parts, entry, 'cancelled', cancelled());
  if (current === null || current.entry.options.job !== job) return;
  current.isCancelled = true;
  current.child?.cancel();
}

/** Goes through the queue; a run that cannot even be reported stays in the journal. */
async function work(parts: RunsParts, queue: Queue): Promise<void> {
  if (queue.current !== null) return;
  for (let entry = queue.waiting.shift(); entry !== undefined; entry = queue.waiting.shift()) {
    if (queue.isStopped) return;
    queue.current = { entry, child: null, isCancelled: false };
    try {
      await runOne(parts, queue.current);
    } catch (error) {
      parts.log.error({ job: entry.options.job, error }, 'Run could not be reported');
    }
    queue.current = null;
  }
}

async function runOne(parts: RunsParts, current: Current): Promise<void> {
  const { entry } = current;
  const { spool, journal } = parts;
  try {
    if (entry.child !== null) await endOfOrphan(entry.child);
    if (spool.has(entry.options.job)) journal.remove(entry.options.job);
    else await untilReported(parts, current);
  } catch (error) {
    parts.log.error({ job: entry.options.job, error }, 'Run failed in the agent');
    report(parts, entry, 'failed', asRefused(error));
  }
  parts.onEnd(entry);
}

/** A child of an agent before us may still be at work; it spools its report itself. */
async function endOfOrphan({ pid, bornAt }: { pid: number; bornAt: string }): Promise<void> {
  while (birthOf(pid) === bornAt) await sleep(POLL_MS);
}

/** A child that dies without a report has its run started again. */
async function untilReported(parts: RunsParts, current: Current): Promise<void> {
  const { preparer, spool, log } = parts;
  const { job, stateFiles, dryRun } = current.entry.options;
  while (!spool.has(job)) {
    const refusal = whyNot(parts, current);
    if (refusal !== null) return report(parts, current.entry, ...refusal);
    const preparation = await preparer.prepare({
      revision: current.entry.revision,
      stateFiles,
      dryRun,
    });
    if (preparation.status === 'refused')
      return report(parts, current.entry, 'failed', preparation.error);
    if (current.isCancelled) continue;
    await runChild(parts, current, preparation.prepared);
    if (!spool.has(job)) log.error({ job }, 'Run ended without a report');
  }
  parts.journal.remove(job);
}

function whyNot({ now }: RunsParts, { entry, isCancelled }: Current): Refusal | null {
  if (isCancelled) return ['cancelled', cancelled()];
  if (entry.starts >= MOST_STARTS)
    return ['interrupted', lost(`${entry.starts} starts have ended without a report`)];
  const waitedMs = now().getTime() - Date.parse(entry.receivedAt);
  const isLate = entry.expiresAt !== null && new Date(entry.expiresAt) < now();
  if (entry.starts > 0 || waitedMs < PROMPT_MS || !isLate) return null;
  return ['expired', expired()];
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
    else parts.onEvent(entry, event);
  });
  current.child = child;
  const { pid, bornAt } = child;
  if (pid !== null && bornAt !== null) parts.journal.put({ ...entry, child: { pid, bornAt } });
  await child.ended;
  current.child = null;
}

/** The agent's own report, for a run that made none. */
function report(
  { minion, spool, journal, now }: RunsParts,
  { options, revision, receivedAt }: JournalEntry,
  ...[status, error]: Refusal
): void {
  const startedAt = new Date(receivedAt);
  const run = { minion, options, revision, startedAt, endedAt: now() };
  spool.put(missingReport(run, status, error));
  journal.remove(options.job);
}

function end(parts: RunsParts, entry: JournalEntry, ...refusal: Refusal): void {
  report(parts, entry, ...refusal);
  parts.onEnd(entry);
}
