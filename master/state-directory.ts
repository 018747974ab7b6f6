import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConductorError, systemCode } from '../shared/errors.ts';

/** Where everything of a master is. */
export interface StatePaths {
  readonly directory: string;
  readonly rootKey: string;
  readonly identityKey: string;
  readonly sealingKey: string;
  /** For everybody: what `master seal` needs. */
  readonly sealingPublicKey: string;
  readonly store: string;
  readonly blobs: string;
  readonly lock: string;
  readonly holder: string;
}

export function statePaths(directory: string): StatePaths {
  return {
    directory,
    rootKey: join(directory, 'keys', 'root.key'),
    identityKey: join(directory, 'keys', 'identity.key'),
    sealingKey: join(directory, 'keys', 'sealing.key'),
    sealingPublicKey: join(directory, 'sealing.pub'),
    store: join(directory, 'master.sqlite'),
    blobs: join(directory, 'blobs'),
    lock: join(directory, 'serve.lock'),
    holder: join(directory, 'serve.pid'),
  };
}

/**
 * Root may work in the state directory of the master's own user, but only as that user, so that
 * the daemon can read what it leaves behind. Nothing happens for anybody else.
 */
export async function becomeOwner(directory: string): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const owner = await ownerOf(directory);
  if (owner === null || owner.uid === 0) return;
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}

async function ownerOf(directory: string): Promise<{ uid: number; gid: number } | null> {
  try {
    return await lstat(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Throws STATE_DIRECTORY_INVALID, saying what to do, unless `master init` has been there. */
export async function requireInitialized({ directory, identityKey }: StatePaths): Promise<void> {
  try {
    await lstat(identityKey);
  } catch (error) {
    const code = systemCode(error) ?? 'unknown';
    const reason = code === 'ENOENT' ? 'it holds no keys: run "master init" first' : code;
    const message = `Cannot use the state directory "${directory}": ${reason}`;
    throw new ConductorError('STATE_DIRECTORY_INVALID', message, { cause: error });
  }
}
