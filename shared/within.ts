import { Script, createContext } from 'node:vm';

const room = createContext({ act: null as (() => void) | null });
const script = new Script('act()');

/**
 * Does what a pattern of somebody's may make last for ever, which no deadline could end: while it is matched, nothing else goes
 * on in the process. `null` if it takes too long. What is done within another one has that one's time.
 */
export function within<T>(limitMs: number, act: () => T): { readonly made: T } | null {
  if (room['act'] !== null) return { made: act() };
  const made: T[] = [];
  room['act'] = (): void => void made.push(act());
  try {
    script.runInContext(room, { timeout: limitMs });
  } catch (error) {
    if (isTimeout(error)) return null;
    throw error;
  } finally {
    room['act'] = null;
  }
  for (const result of made) return { made: result };
  throw new Error('it has made nothing');
}

/** It is an error of the other room, so no instance of ours. */
function isTimeout(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

/** How many repetitions on one level are never a burden for a short text. */
const MOST_REPETITIONS = 3;

/** Whether matching a regular expression may take long even for a short text: one that repeats within what is repeated, say. */
export function mayTakeLong(source: string): boolean {
  const plain = source.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/gsu, 'x');
  const repetitions = plain.match(/[*+]|\{\d+,\d*\}/gu) ?? [];
  return /\)(?:[*+]|\{)/u.test(plain) || repetitions.length > MOST_REPETITIONS;
}
