import { z } from 'zod';
import { resolvePlain } from '../../language/values/scalar.ts';
import { minionIdSchema } from '../../protocol/identifiers.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { groupName, publicKeyHex } from '../api/requests.ts';
import type { JsonMapping } from '../json-values.ts';

/** A whole number from 1 on. */
export function parseCount(option: string, text: string, maximum: number): number {
  const count = /^[1-9][0-9]{0,8}$/u.test(text) ? Number(text) : 0;
  if (count > 0 && count <= maximum) return count;
  const message = `Cannot read ${option} "${text}": write a number from 1 to ${maximum}`;
  throw new ConductorError('USAGE', message);
}

/** `key=value` pairs; a value is read as YAML would: a number, `true`, text; or as JSON. */
export function parseSettings(pairs: readonly string[]): JsonMapping {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals > 0) return [pair.slice(0, equals), valueOf(pair.slice(equals + 1), pair)];
      throw new ConductorError('USAGE', `Cannot read --set "${pair}": write NAME=VALUE`);
    }),
  );
}

function valueOf(text: string, pair: string): JsonMapping[string] {
  if (!/^[[{"]/u.test(text)) return scalarOf(text);
  try {
    return z.json().parse(JSON.parse(text));
  } catch (cause) {
    const message = `Cannot read --set "${pair}": it is no JSON (${messageOf(cause)})`;
    throw new ConductorError('USAGE', message, { cause });
  }
}

/** As YAML reads it; a number that is too large stays text. */
function scalarOf(text: string): JsonMapping[string] {
  const value = text === '' ? text : resolvePlain(text);
  return value === undefined ? text : value;
}

export function parseMinionId(text: string): string {
  return checked(minionIdSchema.safeParse(text), `the minion "${text}"`);
}

export function parsePublicKey(text: string): string {
  return checked(publicKeyHex.safeParse(text), `the public key "${text}"`);
}

/** `--group`, again and again. */
export function collectGroups(text: string, before: readonly string[] = []): readonly string[] {
  return collect(checked(groupName.safeParse(text), `--group "${text}"`), before);
}

type Checked<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      readonly error: { readonly issues: readonly { readonly message: string }[] };
    };

function checked<T>(result: Checked<T>, what: string): T {
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ message }) => message);
  throw new ConductorError('USAGE', `Cannot read ${what}: it ${problems.join('; it ')}`);
}

/** For options that may be given again and again. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
