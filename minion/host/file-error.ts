import { ConductorError, systemCode } from '../../shared/errors.ts';

/** What the system's codes mean for somebody who reads a report. */
const MEANING: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission is denied',
  EPERM: 'the system does not permit it (is the file immutable?)',
  ENOENT: 'a directory on the way to it does not exist',
  ENOTDIR: 'something on the way to it is not a directory',
  EISDIR: 'it is a directory',
  EEXIST: 'something is already there',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'there are too many symbolic links on the way to it',
  EXDEV: 'the two places are on different file systems',
  ENAMETOOLONG: 'the name is too long',
  EBUSY: 'it is in use, perhaps as a mount point',
  EIO: 'the disk has failed',
  ETXTBSY: 'it is a program that is running',
  EMFILE: 'there are too many open files',
  ENFILE: 'there are too many open files on this machine',
  ENOMEM: 'there is not enough memory',
};

const SHORT = ['EMFILE', 'ENFILE', 'ENOMEM'] as const;

/** What the machine has run out of, wherever that was met; `null` for any other error. */
export function shortage(error: unknown): ConductorError | null {
  if (!(error instanceof Error)) return null;
  const code = SHORT.find((one) => systemCode(error) === one || error.message.includes(one));
  if (code === undefined) return null;
  return new ConductorError('HOST_FILE_FAILED', `Cannot go on: ${MEANING[code]}`, {
    cause: error,
    errno: code,
  });
}

/** `Cannot write "/etc/motd": the disk is full`, for what a system call threw. */
export function fileError(verb: string, path: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = systemCode(error);
  if (code === undefined || error instanceof ConductorError) return error;
  const meaning = MEANING[code] ?? code;
  return new ConductorError('HOST_FILE_FAILED', `Cannot ${verb} "${path}": ${meaning}`, {
    cause: error,
    path,
    errno: code,
  });
}

/** Does something to a file, and says clearly what went wrong with which. */
export function explaining<T>(verb: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(verb, path, error);
  }
}

/** A refusal of our own. */
export function refuse(verb: string, path: string, state: string): ConductorError {
  return new ConductorError('HOST_FILE_FAILED', `Cannot ${verb} "${path}": ${state}`, { path });
}
