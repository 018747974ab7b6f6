import { ConductorError } from '../../shared/errors.ts';

/**
 * The signals that end a run before its end, and who is behind them. What the agent is asked to cancel it cancels by a
 * signal of its own, so that nobody takes the end of a host for the wish of an operator.
 */
const WHO = {
  SIGUSR2: 'the run was cancelled by an operator',
  SIGINT: 'the run was cancelled by whoever had started it',
  SIGHUP: 'the run was cancelled by the end of its terminal',
  SIGTERM: 'the run was told to end by the host, as it is when that shuts down,',
} as const;

export type Ending = keyof typeof WHO;

/** Why a run ends, for its report, in which follows where it was. */
export function endingBy(signal: Ending): ConductorError {
  return new ConductorError('CANCELLED', WHO[signal]);
}
