import { styleText } from 'node:util';
import type { JobEvent } from '../../protocol/messages.ts';
import type { Outcome, RunEvent } from '../../protocol/report.ts';
import { escapeControls } from '../../shared/log.ts';
import { renderOutcome, renderReport, type RenderOptions } from '../../shared/render-run.ts';
import type { Terminal } from '../cli/terminal.ts';
import { prefixBelow, prefixOf } from './host-lines.ts';
import { TREE_AS_IT_IS } from './later.ts';
import { createLiveHosts, type LiveHosts } from './live-hosts.ts';
import { FEW, isFailure, renderSame } from './same-outcomes.ts';
import { shortRevision } from './table.ts';

/** Shows a job while it happens. */
export interface JobView {
  show(event: JobEvent): void;
  /** Shows nothing more, and takes away what was shown for the moment. */
  stop(): void;
}

interface Shown {
  readonly terminal: Terminal;
  readonly options: RenderOptions;
  /** Which states of a target have been told. */
  readonly told: Map<string, string>;
  /** By minion and key: the report need not repeat them. */
  readonly outcomes: Map<string, Map<string, Outcome>>;
  readonly live: LiveHosts;
  targets: readonly string[];
}

const TICK_MS = 1000;

/**
 * For a few targets a line for every state as it happens; for more the failures as they happen, and
 * at the end what the targets have in common. A line for every target at its end.
 */
export function createJobView(terminal: Terminal, { verbose }: { verbose: boolean }): JobView {
  const options = { color: terminal.color, verbose };
  const live = createLiveHosts();
  const told = new Map<string, string>();
  const view: Shown = { terminal, options, live, told, outcomes: new Map(), targets: [] };
  const ticking = terminal.isTerminal ? setInterval(() => redraw(view), TICK_MS) : undefined;
  return {
    show(event) {
      if (event.event === 'job') begin(view, event);
      else if (event.event === 'run') showRun(view, event.minion, event.run);
      else if (event.event === 'target') showTarget(view, event);
      else end(view);
      redraw(view);
    },
    stop() {
      clearInterval(ticking);
      terminal.transient('');
    },
  };
}

/** Lines for a log say when. */
function say({ terminal }: Shown, line: string): void {
  const when = terminal.isTerminal ? '' : `${terminal.now().toISOString().slice(0, 19)}Z `;
  terminal.out(`${when}${line}`);
}

function redraw({ terminal, live }: Shown): void {
  if (!terminal.isTerminal) return;
  terminal.transient(live.lines(terminal.now(), MOST_LIVE).join('\n'));
}

const MOST_LIVE = 10;

function begin(view: Shown, { job, revision, targets }: Extract<JobEvent, { event: 'job' }>): void {
  view.targets = targets;
  const count = targets.length === 1 ? '1 target' : `${targets.length} targets`;
  const tree = revision === null ? TREE_AS_IT_IS : `revision ${shortRevision(revision)}`;
  view.terminal.out(`job ${job}, ${tree}, ${count}`);
}

function isGrouped({ targets, options }: Shown): boolean {
  return targets.length > FEW && !options.verbose;
}

function showRun(view: Shown, minion: string, run: RunEvent): void {
  const { live, options } = view;
  live.run(minion, run, view.terminal.now());
  if (run.event === 'outcome') showOutcome(view, minion, run.outcome);
  if (run.event !== 'report') return;
  for (const outcome of run.report.outcomes) showOutcome(view, minion, outcome);
  const lines = renderReport(run.report, options);
  for (const line of prefixBelow(lines, prefixIn(view, minion))) say(view, line);
  view.told.set(minion, run.report.status);
}

function showOutcome(view: Shown, minion: string, outcome: Outcome): void {
  const known = view.outcomes.get(minion) ?? new Map<string, Outcome>();
  if (known.has(outcome.key)) return;
  view.outcomes.set(minion, known.set(outcome.key, outcome));
  if (isGrouped(view) && !isFailure(outcome)) return;
  const before = prefixIn(view, minion);
  for (const line of renderOutcome(outcome, view.options)) say(view, `${before}${line}`);
}

function prefixIn({ targets }: Shown, minion: string): string {
  return prefixOf(minion, { among: targets.length });
}

function end(view: Shown): void {
  if (!isGrouped(view)) return;
  const hosts = [...view.outcomes].map(([minion, known]) => ({
    minion,
    outcomes: [...known.values()],
  }));
  for (const line of renderSame(hosts, view.options)) say(view, line);
}

const QUIET = new Set(['queued', 'delivered', 'running']);

function showTarget(view: Shown, event: Extract<JobEvent, { event: 'target' }>): void {
  const { options, told, live, terminal } = view;
  const { minion, state } = event;
  live.target(event, terminal.now());
  const words = wordsOf(event);
  if ([state, `${state}${words}`].includes(told.get(minion) ?? '')) return;
  const isQuiet = QUIET.has(state);
  if (isQuiet && words === '' && !options.verbose) return;
  told.set(minion, `${state}${words}`);
  const shown = options.color ? styleText(isQuiet ? 'yellow' : 'red', state) : state;
  const [first = '', ...rest] = words.split('\n').map(escapeControls);
  const lines = [
    `${escapeControls(minion)}  ${shown}${first}`,
    ...rest.map((line) => `    ${line}`),
  ];
  for (const line of prefixBelow(lines, prefixIn(view, minion))) say(view, line);
}

function wordsOf({ error, waits }: Extract<JobEvent, { event: 'target' }>): string {
  const words = error?.message ?? waits;
  return words === undefined ? '' : `: ${words}`;
}
