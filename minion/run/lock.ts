import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { ConductorError, systemCode } from '../../shared/errors.ts';
import { fileError } from '../host/file-error.ts';

/** One run at a time on a minion. It dies with its process, however that ends, and leaves nothing. */
export interface RunLock {
  release(): void;
}

export interface LockOptions {
  /** Of the minion. The directory itself is locked, so not even a dry run writes anything. */
  readonly stateDirectory: string;
  readonly dryRun: boolean;
  /** How long to wait for another run to end. */
  readonly waitSeconds: number;
  /** Another run is under way: it has to wait. */
  readonly onWait?: () => void;
  readonly signal: AbortSignal;
}

/** Throws RUN_BUSY if another run has the lock all the time. */
export async function takeLock(options: LockOptions): Promise<RunLock> {
  const { stateDirectory, dryRun, signal } = options;
  const fd = openDirectory(stateDirectory, dryRun);
  // Without a state directory there has never been a run, and a dry run need not fear one.
  if (fd === null) return { release: () => undefined };
  try {
    if (!(await flock(fd, 0, signal))) await waitForLock(fd, options);
  } catch (error) {
    closeSync(fd);
    signal.throwIfAborted();
    throw error;
  }
  return { release: () => closeSync(fd) };
}

async function waitForLock(fd: number, options: LockOptions): Promise<void> {
  const { waitSeconds, onWait, signal } = options;
  if (waitSeconds > 0) {
    onWait?.();
    if (await flock(fd, waitSeconds, signal)) return;
  }
  const vain = waitSeconds > 0 ? ` and has not ended in ${waitSeconds} s` : '';
  throw new ConductorError('RUN_BUSY', `Cannot start a run: another one is under way${vain}`);
}

function openDirectory(path: string, dryRun: boolean): number | null {
  try {
    if (!dryRun) mkdirSync(path, { recursive: true, mode: 0o700 });
    return openSync(path, 'r');
  } catch (error) {
    if (dryRun && systemCode(error) === 'ENOENT') return null;
    throw fileError('open', path, error);
  }
}

/**
 * Locks what the descriptor stands for. A lock belongs to the open file, which `flock` shares with
 * us, so it stays when that program has ended and goes when we close the file or die.
 */
async function flock(fd: number, waitSeconds: number, signal: AbortSignal): Promise<boolean> {
  const limit = ['--timeout', String(waitSeconds), '--conflict-exit-code', String(CONFLICT)];
  const child = spawn('flock', ['--exclusive', ...limit, '3'], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
    signal,
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  if (exitCode === 0 || exitCode === CONFLICT) return exitCode === 0;
  const message = `Cannot start a run: flock exited with ${String(exitCode)}`;
  throw new ConductorError('COMMAND_FAILED', message);
}

const CONFLICT = 75;
