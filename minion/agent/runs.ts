import type { JournalEntry } from '../agent-files.ts';
import { asRefused, busy, cancelled, doneBefore, tooMany } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { beginning, cancelRun, report, runOne } from './run-one.ts';
import type { Current, RunsParts } from './run-one.ts';

/** The runs of this minion: one at a time, the others wait. */
export interface Runs {
  /** Journals it and lets it run, or reports why that cannot be; `false` if it is known here already. */
  add(entry: JournalEntry): boolean;
  cancel(job: string): void;
  knows(job: string): boolean;
  /** Whether it is under way, or waits. */
  isUnfinished(job: string): boolean;
  /** The master has its report: it is never taken up again, not even by an agent after this one. */
  reported(job: string): void;
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
interface Queue {
  readonly waiting: JournalEntry[];
  current: Current | null;
  isWorking: boolean;
  isStopped: boolean;
}

export function createRuns(parts: RunsParts): Runs {
  const queue: Queue = { waiting: [], current: null, isWorking: false, isStopped: false };
  const { waiting } = queue;
  return {
    add: (entry) => add(parts, queue, entry),
    cancel: (job) => cancel(parts, queue, job),
    knows: (job) => isUnfinished(queue, job) || parts.spool.has(job),
    isUnfinished: (job) => isUnfinished(queue, job),
    reported: (job) => parts.journal.end(job),
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

function isUnfinished({ current, waiting }: Queue, job: string): boolean {
  const isIt = ({ options }: JournalEntry): boolean => options.job === job;
  return (current !== null && isIt(current.entry)) || waiting.some(isIt);
}

function add(parts: RunsParts, queue: Queue, entry: JournalEntry): boolean {
  const { job } = entry.options;
  if (isUnfinished(queue, job) || parts.spool.has(job)) return false;
  if (parts.journal.hasEnded(job)) {
    // Its report is the master's, which has no use for another unless it has lost it.
    end(parts, entry, 'interrupted', doneBefore());
    return false;
  }
  const problem = whyBusy(queue, entry) ?? journalled(parts, entry);
  if (problem !== null) {
    end(parts, entry, 'failed', problem);
    return true;
  }
  queue.waiting.push(entry);
  tellWaiting(parts, queue, entry);
  void work(parts, queue);
  return true;
}

function whyBusy({ current, waiting }: Queue, entry: JournalEntry): Refusal[1] | null {
  if (waiting.length >= MOST_WAITING) return tooMany(MOST_WAITING);
  const other = current?.entry ?? waiting[0];
  return entry.queue === false && other !== undefined ? busy(other.options) : null;
}

/** Whom it waits for, if it has to. */
function tellWaiting({ onEvent }: RunsParts, { current }: Queue, entry: JournalEntry): void {
  if (current === null) return;
  const { options, child } = current.entry;
  const { job, cause } = options;
  // As long as it has no process of its own, it is this one that prepares it.
  const pid = current.child?.pid ?? child?.pid ?? process.pid;
  onEvent(entry, { event: 'waiting', holder: { pid, since: current.since, job, cause } });
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

function cancel(parts: RunsParts, { waiting, current }: Queue, job: string): void {
  const index = waiting.findIndex(({ options }) => options.job === job);
  const [entry] = index === -1 ? [] : waiting.splice(index, 1);
  if (entry !== undefined) end(parts, entry, 'cancelled', cancelled());
  if (current === null || current.entry.options.job !== job) return;
  cancelRun(current);
}

/** Goes through the queue. */
async function work(parts: RunsParts, queue: Queue): Promise<void> {
  if (queue.isWorking) return;
  queue.isWorking = true;
  for (let entry = queue.waiting.shift(); entry !== undefined; entry = queue.waiting.shift()) {
    if (queue.isStopped) return;
    queue.current = beginning(entry, parts.now());
    const isReported = await took(parts, queue.current);
    queue.current = null;
    if (isReported) parts.onEnd(entry);
  }
  queue.isWorking = false;
}

/** Whether it has come to its report; one that cannot even be reported stays in the journal. */
async function took(parts: RunsParts, current: Current): Promise<boolean> {
  try {
    await runOne(parts, current);
    return true;
  } catch (error) {
    parts.log.error({ job: current.entry.options.job, error }, 'Run could not be reported');
    return false;
  }
}

function end(parts: RunsParts, entry: JournalEntry, ...refusal: Refusal): void {
  report(parts, entry, ...refusal);
  parts.onEnd(entry);
}
