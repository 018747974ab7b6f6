import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ConductorError } from '../../shared/errors.ts';
import { setAside } from '../host/durable-file.ts';
import { fileError } from '../host/file-error.ts';
import { lockerOf } from '../host/locker.ts';

/** Held until it is closed, or its process has ended, however that ends. */
export interface AgentLock {
  close(): void;
}

const CONFLICT = 75;

/**
 * One agent at a time on a state directory. What is locked is a file that only root can open, so nobody else can
 * keep an agent away. Throws STATE_DIRECTORY_HELD.
 */
export async function holdStateDirectory(stateDirectory: string): Promise<AgentLock> {
  const fd = openLock(stateDirectory);
  try {
    const words = ['--exclusive', '--nonblock', '--conflict-exit-code', String(CONFLICT), '3'];
    const child = spawn('flock', words, { stdio: ['ignore', 'ignore', 'inherit', fd] });
    const [exitCode]: unknown[] = await once(child, 'exit');
    if (exitCode !== 0) throw unlocked(stateDirectory, exitCode);
    return { close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The pid of the agent that is at work on it; `null` if none is, or nobody can tell. */
export function agentHolding(stateDirectory: string): number | null {
  return lockerOf(lockPath(stateDirectory));
}

function lockPath(stateDirectory: string): string {
  return join(stateDirectory, 'agent.lock');
}

function openLock(stateDirectory: string): number {
  const path = lockPath(stateDirectory);
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    // Whoever holds it holds a file.
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) setAside(path);
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw fileError('open', path, error);
  }
}

function unlocked(stateDirectory: string, exitCode: unknown): ConductorError {
  if (exitCode === CONFLICT) {
    const message = `Cannot use "${stateDirectory}": another agent is at work on it`;
    return new ConductorError('STATE_DIRECTORY_HELD', message);
  }
  const message = `Cannot lock "${stateDirectory}": flock exited with ${String(exitCode)}`;
  return new ConductorError('COMMAND_FAILED', message);
}
