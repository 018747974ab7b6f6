import type { z } from 'zod';
import { secretNamesOf } from '../../language/states/secret-names.ts';
import { canonicalJson } from '../../shared/canonical-json.ts';
import type { Attributes, Change, Value } from '../../shared/change.ts';
import type { Outcome } from '../../protocol/report.ts';
import { ConductorError } from '../../shared/errors.ts';
import { secretMark } from '../../shared/marks.ts';
import type { Redact } from '../../shared/secret.ts';
import type { StateType } from './state-type.ts';

/** What keeps secrets out of everything that a run says. */
export interface Redaction {
  /** Blanks every known secret in a text. */
  readonly redact: Redact;
  /** Tells equal values apart without telling what they are. */
  readonly fingerprint: (text: string) => string;
}

type ShownChange = NonNullable<Outcome['change']>;
type Json = z.infer<ReturnType<typeof z.json>>;

const LONGEST_TEXT = 4096;

/** With the names of what is secret in any case, in attributes and in mappings below them. */
interface Blanking extends Redaction {
  readonly secretNames: ReadonlySet<string>;
  /** Nothing of what stood there is shown. */
  readonly hidesBefore: boolean;
}

/** Everybody on the host sees these of any file. */
const OWNERSHIP: ReadonlySet<string> = new Set(['user', 'group', 'mode']);

/** A change as it may be shown: nothing secret, nothing longer than a screen. */
export function presentable(change: Change, blanking: Blanking): ShownChange {
  const { secretNames, hidesBefore } = blanking;
  const isHidden = (name: string): boolean => secretNames.has(name);
  const hidesOf = (name: string): boolean => hidesBefore && !OWNERSHIP.has(name);
  if (change.action === 'remove')
    return {
      action: 'remove',
      from: mapped(change.from, (was, name) =>
        shown(was, isHidden(name) || hidesOf(name), blanking),
      ),
    };
  const wanted = known(change.to);
  const to = mapped(wanted, (now, name) => shown(now, isHidden(name), blanking));
  if (change.action === 'create') return { action: 'create', to };
  const from = mapped(wanted, (now, name) => {
    const was = change.from[name] ?? null;
    return isHidden(name) || hidesOf(name)
      ? shown(was, true, blanking)
      : shownBefore(was, now, blanking);
  });
  return { action: 'update', from, to };
}

function mapped(
  attributes: Attributes,
  show: (value: Value, name: string) => Json,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, flattened(show(value, name))]),
  );
}

/** No master takes what nests without an end, and no reader does. */
const MOST_LEVELS = 16;

function flattened(value: Json, levels = MOST_LEVELS): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return '…';
  if (Array.isArray(value)) return value.map((item) => flattened(item, levels - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, flattened(item, levels - 1)]),
  );
}

/** What a value was that a secret is now in: nobody knows an earlier secret, so all of it is blanked. */
function shownBefore(was: Value, now: Value | undefined, blanking: Blanking): Json {
  if (was === null || now === undefined || !holdsSecret(now, blanking)) {
    return shown(was, false, blanking);
  }
  if (!isMapping(was) || !isMapping(now)) return shown(was, true, blanking);
  return Object.fromEntries(
    Object.entries(was).map(([name, item]) => [
      blanking.redact(name),
      name in now && !blanking.secretNames.has(name)
        ? shownBefore(item, now[name], blanking)
        : shown(item, true, blanking),
    ]),
  );
}

function holdsSecret(value: Value, { redact }: Pick<Redaction, 'redact'>): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).some((item) => holdsSecret(item, { redact }));
  }
  return redact(String(value)) !== String(value);
}

/** Anything thrown, for the log. */
export function loggable(error: unknown, { redact }: Redaction): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { message: redact(String(error)) };
  const code = error instanceof ConductorError ? { code: error.code } : {};
  const stack = error.stack === undefined ? {} : { stack: redact(error.stack) };
  return { ...code, message: redact(error.message), ...stack };
}

export type SecretNames = (type: StateType) => ReadonlySet<string>;

/** Like `secretNamesOf`, which is slow, once for each type. */
export function createSecretNames(): SecretNames {
  const known = new Map<string, ReadonlySet<string>>();
  return (type) => {
    const names = known.get(type.name) ?? secretNamesOf(type);
    known.set(type.name, names);
    return names;
  };
}

function shown(value: Value, isSecretValue: boolean, blanking: Blanking): Json {
  // That something is so or not is no secret text.
  if (isSecretValue && value !== null && typeof value !== 'boolean') {
    const text = typeof value === 'string' ? value : canonicalJson(value);
    return secretMark(blanking.fingerprint(text));
  }
  if (typeof value === 'string') return shortened(blanking.redact(value));
  if (typeof value === 'number') return numberShown(value, blanking);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((item) => shown(item, false, blanking));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      blanking.redact(name),
      shown(item, blanking.secretNames.has(name), blanking),
    ]),
  );
}

/** A schema may have made a number of a secret that was sealed as text. */
function numberShown(value: number, { redact }: Redaction): Json {
  const text = redact(String(value));
  return text === String(value) ? value : text;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isMapping(value: Value): value is Readonly<Record<string, Value>> {
  return typeof value === 'object' && value !== null && !isList(value);
}

function shortened(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  return `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)`;
}

/** Without what a partial type allows to be `undefined`. */
function known(attributes: Partial<Attributes>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
