import { Script, createContext } from 'node:vm';
import { ConductorError } from '../../../shared/errors.ts';

const LIMIT_MS = 10_000;

const room = createContext({ act: null as (() => void) | null });
const script = new Script('act()');

/**
 * Does what a pattern of the tree's author may make last for ever, which no deadline could end: while it is matched,
 * nothing else goes on in the process. Throws STATE_REFUSED, with what cannot be done, if it takes too long.
 */
export function bounded<T>(what: string, act: () => T, limitMs = LIMIT_MS): T {
  const made: T[] = [];
  room['act'] = (): void => void made.push(act());
  try {
    script.runInContext(room, { timeout: limitMs });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    const message = `Cannot ${what}: matching its pattern takes longer than ${limitMs / 1000} s (nested repetitions such as (a+)+ do that)`;
    throw new ConductorError('STATE_REFUSED', message, { cause: error, lacks: [] });
  } finally {
    room['act'] = null;
  }
  for (const result of made) return result;
  throw new Error('it has made nothing');
}

/** It is an error of the other room, so no instance of ours. */
function isTimeout(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
