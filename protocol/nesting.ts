import { ConductorError } from '../shared/errors.ts';

/** More than anything that a minion has to say. */
const MOST_LEVELS = 32;

/** What a minion has said, if it can be shown: what goes through it level by level must come to an end. Throws MESSAGE_INVALID. */
export function refuseDeep(message: unknown): unknown {
  if (isWithin(message, MOST_LEVELS)) return message;
  const problem = `it nests more than ${MOST_LEVELS} levels deep`;
  throw new ConductorError('MESSAGE_INVALID', `Cannot read a ${typeOf(message)}: ${problem}`);
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}

function typeOf(message: unknown): string {
  const hasType = typeof message === 'object' && message !== null && 'type' in message;
  return hasType && typeof message.type === 'string' ? `"${message.type}" message` : 'message';
}
