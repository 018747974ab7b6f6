import type { JobEvent } from '../../protocol/messages.ts';
import type { Report } from '../../protocol/report.ts';
import { EXIT } from '../../shared/exit-codes.ts';
import { jsonText } from '../../shared/json-text.ts';
import { jobAnswer } from '../api/answers.ts';
import { createJobView } from '../render/job-view.ts';
import type { Common, Context } from './context.ts';

export const FORMATS = ['text', 'json', 'ndjson'] as const;

export type Format = (typeof FORMATS)[number];

export interface Following {
  /** Every event as it comes, until the signal. */
  readonly events: (signal: AbortSignal) => AsyncIterable<JobEvent>;
  readonly format: Format;
  readonly verbose: boolean;
}

/** How long a second Ctrl-C may take. */
const AGAIN_MS = 3_000;

/** Shows a job to its end and takes its exit code. Ctrl-C leaves it alone; a second one ends it. */
export async function followJob(
  context: Context,
  common: Pick<Common, 'config' | 'client'>,
  following: Following,
): Promise<void> {
  const { terminal } = context;
  const seen: Seen = { job: null };
  const left = new AbortController();
  const interrupts = terminal.interrupts();
  void interrupts.next().then(() => left.abort());
  try {
    context.exit(await show(context, following, { seen, signal: left.signal }));
  } catch (error) {
    if (seen.job !== null) tellHow(context, common, seen.job);
    if (!left.signal.aborted) throw error;
    context.exit(EXIT.interrupted);
    if (seen.job !== null) await maybeCancel(context, common, { job: seen.job, interrupts });
    else context.terminal.err('The master may have made the job already: see "master jobs list".');
  } finally {
    interrupts.stop();
  }
}

interface Seen {
  job: string | null;
}

type Interrupts = ReturnType<Context['terminal']['interrupts']>;

function tellHow(
  { terminal }: Context,
  { config: { socket } }: Pick<Common, 'config'>,
  job: string,
) {
  const where = socket === '/run/conductor/master.sock' ? '' : ` --socket ${socket}`;
  terminal.err('The job goes on.');
  terminal.err(`  follow it:  master jobs watch ${job}${where}`);
  terminal.err(`  end it:     master jobs cancel ${job}${where}`);
}

async function maybeCancel(
  { terminal }: Context,
  { client }: Pick<Common, 'client'>,
  { job, interrupts }: { job: string; interrupts: Interrupts },
): Promise<void> {
  if (!terminal.isTerminal) return;
  terminal.err('  or press Ctrl-C again, now');
  const patience = new Promise<'over'>((resolve) => setTimeout(resolve, AGAIN_MS, 'over'));
  if ((await Promise.race([interrupts.next(), patience])) === 'over') return;
  await client.post(`/jobs/${job}/cancel`, {}, jobAnswer);
  terminal.err(
    'The job is cancelled: what has not begun never will, and what runs is asked to end.',
  );
}

async function show(
  { terminal }: Context,
  { events, format, verbose }: Following,
  { seen, signal }: { seen: Seen; signal: AbortSignal },
): Promise<number> {
  const view = createJobView(terminal, { verbose });
  const document = createDocument();
  let exitCode: number = EXIT.offline;
  try {
    for await (const event of events(signal)) {
      if (event.event === 'job') seen.job = event.job;
      if (event.event === 'done') exitCode = event.exitCode;
      if (format === 'text') view.show(event);
      else if (format === 'ndjson') terminal.out(jsonText(event));
      else document.note(event);
    }
  } finally {
    view.stop();
  }
  if (format === 'json') terminal.out(jsonText({ ...document.result(), exitCode }));
  return exitCode;
}

type TargetEvent = Extract<JobEvent, { event: 'target' }>;

/** A whole job as one JSON document. */
function createDocument() {
  const targets = new Map<string, Omit<TargetEvent, 'event'>>();
  const reports = new Map<string, Report>();
  let head: { job: string; revision: string | null } | null = null;
  return {
    note(event: JobEvent) {
      if (event.event === 'job') head = { job: event.job, revision: event.revision };
      if (event.event === 'target') {
        const { event: _event, ...target } = event;
        targets.set(target.minion, target);
      }
      if (event.event === 'run' && event.run.event === 'report') {
        const { report } = event.run;
        reports.set(event.minion, report);
        // Of a job for later it was not settled when the following began.
        if (head !== null) head.revision ??= report.revision;
      }
    },
    result: () => ({
      ...head,
      targets: [...targets.values()].map((target) => ({
        ...target,
        report: reports.get(target.minion) ?? null,
      })),
    }),
  };
}
