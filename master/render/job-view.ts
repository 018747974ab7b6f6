import { styleText } from 'node:util';
import type { JobEvent } from '../../protocol/messages.ts';
import type { RunEvent } from '../../protocol/report.ts';
import { escapeControls } from '../../shared/log.ts';
import { renderOutcome, renderReport, type RenderOptions } from '../../shared/render-run.ts';
import type { Terminal } from '../cli/terminal.ts';

/** Shows a job while it happens. */
export interface JobView {
  show(event: JobEvent): void;
}

interface Shown {
  readonly terminal: Terminal;
  readonly options: RenderOptions;
  /** Which states of a target have been told. */
  readonly told: Map<string, string>;
  /** Outcomes shown as they came: the report need not repeat them. */
  readonly outcomes: Set<string>;
  targets: readonly string[];
}

/** A line for every state as it happens, and one for every target at its end. */
export function createJobView(terminal: Terminal, { verbose }: { verbose: boolean }): JobView {
  const options = { color: terminal.color, verbose };
  const view: Shown = { terminal, options, told: new Map(), outcomes: new Set(), targets: [] };
  return {
    show(event) {
      if (event.event === 'job') begin(view, event);
      else if (event.event === 'run') showRun(view, event.minion, event.run);
      else if (event.event === 'target') showTarget(view, event);
      else terminal.transient('');
    },
  };
}

function begin(view: Shown, { job, revision, targets }: Extract<JobEvent, { event: 'job' }>): void {
  view.targets = targets;
  const count = targets.length === 1 ? '1 target' : `${targets.length} targets`;
  view.terminal.out(`job ${job}, revision ${revision.slice(0, 12)}, ${count}`);
}

function showRun(view: Shown, minion: string, run: RunEvent): void {
  const { terminal, options, outcomes } = view;
  const before = view.targets.length > 1 ? `${escapeControls(minion)} | ` : '';
  if (run.event === 'started') {
    const { number, total, type, id } = run;
    terminal.transient(escapeControls(`${before}${number}/${total} ${type} ${id}`));
  } else if (run.event === 'outcome') {
    outcomes.add(`${minion} ${run.outcome.key}`);
    for (const line of renderOutcome(run.outcome, options)) terminal.out(`${before}${line}`);
  } else if (run.event === 'report') {
    const missed = run.report.outcomes.filter(({ key }) => !outcomes.has(`${minion} ${key}`));
    const lines = missed.flatMap((outcome) => renderOutcome(outcome, options));
    for (const line of lines) terminal.out(`${before}${line}`);
    for (const line of renderReport(run.report, options)) terminal.out(line);
    view.told.set(minion, run.report.status);
  }
}

const QUIET = new Set(['queued', 'delivered', 'running']);

function showTarget(view: Shown, event: Extract<JobEvent, { event: 'target' }>): void {
  const { terminal, options, told } = view;
  const { minion, state, error } = event;
  const words = wordsOf(error);
  if ([state, `${state}${words}`].includes(told.get(minion) ?? '')) return;
  const isQuiet = QUIET.has(state);
  if (isQuiet && error === undefined && !options.verbose) return;
  told.set(minion, `${state}${words}`);
  const shown = options.color ? styleText(isQuiet ? 'yellow' : 'red', state) : state;
  const [first = '', ...rest] = words.split('\n').map(escapeControls);
  terminal.out(`${escapeControls(minion)}  ${shown}${first}`);
  for (const line of rest) terminal.out(`    ${line}`);
}

function wordsOf(error: { readonly message: string } | undefined): string {
  return error === undefined ? '' : `: ${error.message}`;
}
