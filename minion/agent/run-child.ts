import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { runEventSchema } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/report.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { NOT_SPOOLED } from '../agent-files.ts';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { birthOf } from '../host/process-birth.ts';
import { endLeft } from './run-end.ts';

/** The process of one run. It outlives the agent if it must, and leaves its report in the spool. */
export interface RunChild {
  readonly pid: number | null;
  readonly bornAt: string | null;
  /** Asks it to end the run; it reports that it was cancelled. One that does not end is killed soon. */
  cancel(): void;
  /** Resolves when it has ended, said all it had to say, and left nothing. Never rejects. */
  readonly ended: Promise<RunEnd>;
}

export interface RunEnd {
  /** It went on after its time was over, and had to be killed. */
  readonly isOverdue: boolean;
}

export interface RunChildParts {
  /** The script of the child, `run.js`. */
  readonly program: string;
  /** All that it says; of reports only those that are not in the spool: of dry runs, or for want of space. */
  readonly onEvent: (event: RunEvent) => void;
  readonly log: Logger;
}

export type StartChild = (request: RunRequest, onEvent: RunChildParts['onEvent']) => RunChild;

/** By which the child knows that it is an operator who ends it, and not the host. */
export const CANCEL = 'SIGUSR2';
/** What a child may need to end everything and report, before it is killed. */
export interface Patience {
  /** Over its run's own time, which its wait for another run is a part of. */
  readonly overdueMs: number;
  /** When it is cancelled. */
  readonly cancelledMs: number;
}

export const PATIENCE: Patience = { overdueMs: 120_000, cancelledMs: 40_000 };
/** What a program that the run has left behind may hold the pipe open for. */
const PIPE_MS = 2_000;

/**
 * Starts a run, in a process group of its own: neither a terminal's Ctrl-C nor the end of the
 * agent ends it, not even when the run itself restarts the agent's service.
 */
export function startRunChild(
  { program, onEvent, log }: RunChildParts,
  request: RunRequest,
): RunChild {
  const { child, stdin, stdout, hasExited } = spawnRun(program, log);
  const killing = killer(child, request.options.timeoutSeconds * 1000 + PATIENCE.overdueMs);
  const said = hear(stdout, { onEvent, log, isDry: request.options.dryRun });
  stdin.on('error', (error) => {
    // It has ended before it read its request; that it has no report will be noticed.
    log.warn({ code: systemCode(error) }, 'Run child did not read its request');
  });
  stdin.end(JSON.stringify(request));
  const { pid = null } = child;
  const ended = async (): Promise<RunEnd> => {
    await endOf(hasExited, said.all);
    killing.dispose();
    if (pid !== null) await endLeft(pid, log);
    if (child.exitCode === NOT_SPOOLED) said.tellReport();
    return { isOverdue: killing.isOverdue };
  };
  return {
    pid,
    bornAt: pid === null ? null : birthOf(pid),
    cancel: killing.cancel,
    ended: ended(),
  };
}

/** Throws if there is no file descriptor left to speak with it; any other failure ends it at once. */
function spawnRun(program: string, log: Logger) {
  const child: ChildProcess = spawn(process.execPath, [program], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const hasExited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      log.error({ program, problem: messageOf(error) }, 'Run child failed');
      resolve();
    });
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) {
    const message = 'Cannot start the run: the agent has too many open files';
    throw new ConductorError('HOST_FILE_FAILED', message);
  }
  return { child, stdin, stdout, hasExited };
}

/** Ends a child that has used up its time, or is to end now and does not. */
function killer(child: ChildProcess, milliseconds: number) {
  let isOverdue = false;
  const overdue = (): void => {
    isOverdue = true;
    child.kill('SIGKILL');
  };
  const timers = [setTimeout(overdue, milliseconds)];
  return {
    get isOverdue() {
      return isOverdue;
    },
    cancel: () => {
      child.kill(CANCEL);
      timers.push(setTimeout(() => child.kill('SIGKILL'), PATIENCE.cancelledMs));
    },
    dispose: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

interface Ears extends Pick<RunChildParts, 'onEvent' | 'log'> {
  readonly isDry: boolean;
}

/** Passes on what a child says; a report that is likely to be in the spool only when that is asked for. */
function hear(output: Readable, { onEvent, log, isDry }: Ears) {
  let report: string | null = null;
  const tell = (line: string): void => {
    const event = eventOf(line, log);
    if (event !== null) onEvent(event);
  };
  const lines = createInterface({ input: output });
  lines.on('line', (line) => {
    // The report is large, and not needed here if it is in the spool: then it is not even parsed.
    if (line.startsWith('{"event":"report"') && !isDry) report = line;
    else tell(line);
  });
  return {
    all: new Promise<void>((resolve) => lines.once('close', () => resolve())),
    tellReport: (): void => {
      if (report !== null) tell(report);
    },
  };
}

async function endOf(hasExited: Promise<void>, hasSaidAll: Promise<void>): Promise<void> {
  await hasExited;
  const patience = new AbortController();
  const tooLong = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PIPE_MS);
    patience.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  await Promise.race([hasSaidAll, tooLong]);
  patience.abort();
}

function eventOf(line: string, log: Logger): RunEvent | null {
  try {
    return runEventSchema.parse(JSON.parse(line));
  } catch (error) {
    log.error({ error, line: line.slice(0, 200) }, 'Run child said something unknown');
    return null;
  }
}
