import { ConductorError, type ErrorCode } from './errors.ts';

/** How the command lines end; shown by `--help`. */
export const EXIT = {
  ok: 0,
  usage: 1,
  failed: 2,
  offline: 3,
  tree: 4,
  refused: 5,
  changes: 6,
  bug: 70,
  interrupted: 130,
} as const;

export const EXIT_HELP = `
Exit codes:
  0    all targets are ok, or changed as asked
  1    usage or configuration is wrong, or a named thing (minion, group, job, …) does not exist
  2    a state failed on some target
  3    a target or the master is offline, timed out or lost, or a job was cancelled
  4    the tree does not compile
  5    refused: a permission, a guard, a target expression or glob that matches no minion,
       a minion that no line of the top file is for, or one that is busy (RUN_BUSY)
  130  interrupted, or a run of "minion" was cancelled
Of several targets the worst counts: 4 before 2, then 5, then 3.`;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  TREE_INVALID: EXIT.tree,
  SEALED_VALUE: EXIT.tree,
  STATE_NOT_CONVERGED: EXIT.failed,
  COMMAND_FAILED: EXIT.failed,
  CHECK_FAILED: EXIT.failed,
  MINION_OFFLINE: EXIT.offline,
  MASTER_UNREACHABLE: EXIT.offline,
  CHANNEL_CLOSED: EXIT.offline,
  HANDSHAKE_FAILED: EXIT.offline,
  COMMAND_TIMEOUT: EXIT.offline,
  TARGET_EMPTY: EXIT.refused,
  NOTHING_DECLARED: EXIT.refused,
  MINION_PAUSED: EXIT.refused,
  PERMISSION_DENIED: EXIT.refused,
  ENROLMENT_REFUSED: EXIT.refused,
  RUN_BUSY: EXIT.refused,
  CANCELLED: EXIT.interrupted,
};

/** The exit code for anything thrown; what is no `ConductorError` is a bug. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ConductorError)) return EXIT.bug;
  return BY_CODE[error.code] ?? EXIT.usage;
}
