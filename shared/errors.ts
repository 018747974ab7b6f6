/** Every way Conductor can fail on purpose. The error page of the manual is generated from it. */
export const ERRORS = {
  TREE_INVALID: 'A state tree, pillar or template has mistakes; each is told with its place',
  STATE_NOT_CONVERGED: 'A state was applied without error, yet the host still differs',
  STATE_ARGS_INVALID: 'The arguments of a state do not fit its schema',
  STATE_REFUSED: 'A state type refused to act because the host is not as it must be',
  CHECK_FAILED: 'A check_cmd, or the validation of a staged configuration, failed',
  COMMAND_FAILED: 'A command on the host exited with an error',
  COMMAND_TIMEOUT: 'A command or state ran longer than it may',
  CANCELLED: 'A run was cancelled',
  FAILURES_REACHED: 'A job was not delivered because too many of its targets had failed',
  CUSTOM_TYPE_FAILED: 'The code of a state type that the tree brings along has failed',
  HOST_FILE_FAILED: 'A file on the host could not be read, written or removed',
  SOURCE_MISSING: 'A file that a state needs is not to be had',
  CONFIG_INVALID: 'A configuration file, flag or environment variable is wrong',
  USAGE: 'A command line is wrong',
  STATE_DIRECTORY_INVALID:
    'A state directory or key file is missing, damaged or too widely readable',
  STATE_DIRECTORY_HELD: 'Another process holds the state directory',
  RUN_BUSY: 'Another run is under way on this minion',
  JOIN_STRING_INVALID: 'A join string is malformed, expired, used or for another minion',
  HANDSHAKE_FAILED: 'The two ends of a channel could not prove themselves to each other',
  CHANNEL_CLOSED: 'A channel ended while something was still under way',
  MESSAGE_INVALID: 'A message does not fit its schema',
  ENROLMENT_REFUSED: 'The master does not accept this minion',
  KEY_UNKNOWN: 'No minion key has that id',
  KEY_STATE: 'A minion key is not in a state that allows the action',
  TARGET_INVALID: 'A target expression cannot be read',
  TARGET_EMPTY: 'A target matches no accepted minion',
  NOTHING_DECLARED: 'No line of the top file is for a minion',
  MINION_OFFLINE: 'A minion is not connected',
  MINION_PAUSED: 'A minion is paused, and a run was asked for that respects it',
  JOB_UNKNOWN: 'No job has that id',
  REVISION_UNKNOWN: 'No revision has that id, or none has been published yet',
  SEALED_VALUE: 'A sealed value cannot be opened',
  MASTER_UNREACHABLE: 'The master cannot be reached',
  PERMISSION_DENIED: 'The caller may not do this',
  RUN_LOST:
    'A run has ended without a report, its report was damaged, or the master asks again for what was reported to it; what it did stays done',
  BUG: 'Conductor has made a mistake, which the log tells in full: please report it',
  NOT_FOUND: 'There is nothing of that name',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Facts about a failure, for programs: plain data, never a secret. */
export type Details = { readonly [name: string]: unknown };

/** A failure we expect: a stable `code` for programs, a `message` for people, `details` for both. */
export class ConductorError extends Error {
  override readonly name = 'ConductorError';
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(code: ErrorCode, message: string, { cause, ...details }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** The words of anything thrown, for a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code (`ENOENT`, …) of a thrown error; `undefined` if it has none. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
