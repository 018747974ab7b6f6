import { ConductorError, messageOf } from '../../shared/errors.ts';
import { shortage } from '../host/file-error.ts';
import type { Report } from '../../protocol/report.ts';
import type { RunOptions } from '../../protocol/run-request.ts';

/** Why a run has no report of its own: how it ends, and what is said of it. */
export type Refusal = readonly [Report['status'], Reason];

interface Reason {
  readonly code: string;
  readonly message: string;
}

export function tooMany(waiting: number): Reason {
  return { code: 'RUN_BUSY', message: `Cannot accept the run: ${waiting} others are waiting` };
}

export function busy({ cause, job }: RunOptions): Reason {
  const message = `Cannot start the run, which may not wait: the ${cause} ${job} is under way`;
  return { code: 'RUN_BUSY', message };
}

export function expired(): Reason {
  const message = 'Cannot start the run: it waited for others until it expired';
  return { code: 'JOB_EXPIRED', message };
}

export function cancelled(): Reason {
  return {
    code: 'CANCELLED',
    message: 'The run was cancelled by an operator before it had done anything',
  };
}

export function lost(problem: string): Reason {
  return { code: 'RUN_LOST', message: `Cannot finish the run: ${problem}` };
}

/** It was killed, and nobody was there to start it again. */
export function stale(): Reason {
  return lost('it was killed, and by now its time is over (apply again what has to be done)');
}

/** The master asks again for what it has been told the end of. */
export function doneBefore(): Reason {
  const message =
    'Cannot start the run: this minion has done the job before and has reported it; apply again if the master has lost that';
  return { code: 'RUN_LOST', message };
}

/** What was asked to end and did not. */
export function killed(at: string): Reason {
  const message = `The run was cancelled by an operator and did not end by itself, so it was killed ${at}`;
  return { code: 'CANCELLED', message };
}

export function overdue(seconds: number, at: string): Reason {
  const message = `The run took longer than ${seconds} s and did not end by itself, so it was killed ${at}`;
  return { code: 'COMMAND_TIMEOUT', message };
}

/** What was thrown, as a reason. */
export function asRefused(error: unknown): Reason {
  const said = error instanceof ConductorError ? error : (shortage(error) ?? error);
  const code = said instanceof ConductorError ? said.code : 'BUG';
  return { code, message: messageOf(said) };
}
