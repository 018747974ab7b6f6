import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Data } from '../values/data.ts';
import { environmentSettings, fileSettings, flagSettings } from './settings-sources.ts';
import type { Setting, SettingsFile } from './settings-sources.ts';

export interface SettingsSource {
  /** Later over earlier. */
  readonly files: readonly SettingsFile[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `CONDUCTOR_MINION_` */
  readonly prefix: string;
  /** By key, as the command line gave them; `undefined` where it did not. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** What is asked of a closed schema of an object, zod's or zod/mini's. */
export interface SettingsSchema<T> {
  readonly shape: Readonly<Record<string, unknown>>;
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

type Issue = Unrecognized | Other;

interface Unrecognized {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly keys: readonly string[];
  readonly message: string;
}

interface Other {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * A program's settings: flags over environment over files. Throws CONFIG_INVALID, which tells all
 * mistakes at once, each with the place where it was made.
 */
export function readSettings<T>(schema: SettingsSchema<T>, source: SettingsSource): T {
  const mistakes: string[] = [];
  const settings = [
    ...source.files.flatMap((file) => fileSettings(file, mistakes)),
    ...environmentSettings(pathsOf(schema), source.environment, source.prefix, mistakes),
    ...flagSettings(source.flags),
  ];
  const result = schema.safeParse(assemble(settings));
  if (!result.success)
    mistakes.push(...result.error.issues.flatMap((issue) => explain(issue, settings, schema)));
  if (result.success && mistakes.length === 0) return result.data;
  const list = mistakes.join('\n');
  throw new ConductorError('CONFIG_INVALID', `Cannot read the configuration:\n${list}`);
}

/** Where a setting can stand: `master`, `refresh.every`, … */
function pathsOf({ shape }: { shape: Readonly<Record<string, unknown>> }): string[][] {
  return Object.entries(shape).flatMap(([key, inner]) => {
    const below = shapeOf(inner);
    return below === null ? [[key]] : Object.keys(below).map((name) => [key, name]);
  });
}

/** The fields of an object schema below its defaults; `null` for anything else. */
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | null {
  if (!isRecord(schema)) return null;
  if (isRecord(schema['shape'])) return schema['shape'];
  const definition = schema['def'];
  return isRecord(definition) ? shapeOf(definition['innerType']) : null;
}

function assemble(settings: readonly Setting[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { path, value } of settings) put(values, path, value);
  return values;
}

function put(
  values: Record<string, unknown>,
  [key = '', ...rest]: readonly string[],
  value: Data,
): void {
  if (rest.length === 0) {
    Object.assign(values, { [key]: value });
    return;
  }
  const inner = values[key];
  const next: Record<string, unknown> = isRecord(inner) ? { ...inner } : {};
  put(next, rest, value);
  Object.assign(values, { [key]: next });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function explain(
  issue: Issue,
  settings: readonly Setting[],
  { shape }: { shape: Readonly<Record<string, unknown>> },
): string[] {
  const path = issue.path.map(String);
  if (!('keys' in issue))
    return [`${originOf(settings, path)}: ${path.join('.')}: ${issue.message}`];
  const known = path.length === 0 ? shape : (shapeOf(shape[path[0] ?? '']) ?? {});
  return issue.keys.map((key) => {
    const place = originOf(settings, [...path, key]);
    const name = [...path, key].join('.');
    return `${place}: unknown key "${name}"${didYouMean(key, Object.keys(known))}`;
  });
}

/** The last source that said anything at or below a path, or above it. */
function originOf(settings: readonly Setting[], path: readonly string[]): string {
  const fits = ({ path: given }: Setting) =>
    path.every((name, index) => given[index] === undefined || given[index] === name);
  const origin = settings.findLast(fits)?.origin;
  if (origin !== undefined) return origin;
  return path.length > 1 ? originOf(settings, path.slice(0, -1)) : 'configuration';
}
