import { EXIT } from '../../shared/exit-codes.ts';
import { renderHolder } from '../../shared/render-holder.ts';
import { renderPreparing } from '../../shared/render-preparing.ts';
import { renderOutcome, renderReport } from '../../shared/render-run.ts';
import type { Report, RunEvent } from '../../protocol/report.ts';
import type { Terminal } from './terminal.ts';

export interface RunView {
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Prints a run as it goes on; with `json` only its report, as one document. */
export function printEvent(terminal: Terminal, view: RunView, event: RunEvent): void {
  const options = { color: terminal.color, verbose: view.verbose };
  if (event.event === 'report') printReport(terminal, view, event.report);
  else if (event.event === 'waiting') terminal.err(waitingWords(event));
  else if (event.event === 'preparing') terminal.err(renderPreparing(event));
  else if (event.event === 'outcome' && !view.json)
    for (const line of renderOutcome(event.outcome, options)) terminal.out(line);
}

function waitingWords({ holder, seconds }: Extract<RunEvent, { event: 'waiting' }>): string {
  const most = seconds === undefined ? '' : `, ${seconds} s at most`;
  return `waiting for ${renderHolder(holder)} to end${most}`;
}

export function printReport(terminal: Terminal, view: RunView, report: Report): void {
  const options = { color: terminal.color, verbose: view.verbose };
  const lines = view.json ? [JSON.stringify(report)] : renderReport(report, options);
  for (const line of lines) terminal.out(line);
}

/** As the manual says: what befell the run, as an exit code. */
export function exitCodeOfReport({ status, error }: Pick<Report, 'status' | 'error'>): number {
  if (status === 'failed') return FAILURES.get(error?.code ?? '') ?? EXIT.failed;
  return ENDS[status];
}

const ENDS = {
  ok: EXIT.ok,
  changed: EXIT.ok,
  cancelled: EXIT.interrupted,
  timeout: EXIT.offline,
  expired: EXIT.offline,
  interrupted: EXIT.offline,
} as const;

const FAILURES: ReadonlyMap<string, number> = new Map([
  ['TREE_INVALID', EXIT.tree],
  ['SEALED_VALUE', EXIT.tree],
  ['MASTER_UNREACHABLE', EXIT.offline],
  ['RUN_BUSY', EXIT.refused],
  ['NOT_FOUND', EXIT.usage],
  ['NOTHING_DECLARED', EXIT.refused],
]);
