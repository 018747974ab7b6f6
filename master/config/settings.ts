import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Data } from '../../language/data.ts';
import type { Node } from '../../language/node.ts';
import { showPlace } from '../../language/place.ts';
import { collectProblems, renderProblem } from '../../language/problem.ts';
import { resolvePlain } from '../../language/scalar.ts';
import { parseYaml } from '../../language/yaml.ts';

export interface SettingsSource {
  /** `null`: the default file, which may be absent. */
  readonly file: string | null;
  readonly defaultFile: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `CONDUCTOR_MASTER_`; `_CONFIG` behind it names the file. */
  readonly prefix: string;
  /** By key, as the command line gave them; `undefined` where it did not. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** A value of one source, with the words that say where it was given. */
interface Setting {
  readonly path: readonly string[];
  readonly value: Data;
  readonly origin: string;
}

/** Reads and checks a program's settings; all mistakes are told at once, each with its place. */
export async function readSettings<T>(
  schema: z.ZodType<T> & { shape: Readonly<Record<string, z.ZodType>> },
  source: SettingsSource,
): Promise<T> {
  const mistakes: string[] = [];
  const files = await settingsFiles(source);
  const settings: Setting[] = [];
  for (const file of files) settings.push(...(await fileSettings(file, mistakes)));
  settings.push(...environmentSettings(schema, source, mistakes));
  settings.push(...flagSettings(source.flags));

  const result = schema.safeParse(assemble(settings));
  if (!result.success)
    mistakes.push(...result.error.issues.flatMap((issue) => explain(issue, settings, schema)));
  if (mistakes.length > 0 || !result.success)
    throw new ConductorError(
      'CONFIG_INVALID',
      `Cannot read the configuration:\n${mistakes.join('\n')}`,
    );
  return result.data;
}

/** The main file, then those of its `.d` directory by name. */
async function settingsFiles(source: SettingsSource): Promise<string[]> {
  const given = source.file ?? source.environment[`${source.prefix}CONFIG`] ?? null;
  const main = given ?? source.defaultFile;
  const directory = main.replace(/(?:\.yaml)?$/u, '.d');
  const names = await readdir(directory).catch(nothingIfAbsent(directory));
  const more = names.filter((name) => /^[^.].*\.yaml$/u.test(name)).toSorted();
  const isThere = given !== null || (await readFile(main).catch(nothingIfAbsent(main))).length > 0;
  return [...(isThere ? [main] : []), ...more.map((name) => join(directory, name))];
}

function nothingIfAbsent(path: string): (error: unknown) => [] {
  return (error) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw unreadable(path, error);
  };
}

function unreadable(path: string, cause: unknown): ConductorError {
  const message = `Cannot read "${path}": ${messageOf(cause)}`;
  return new ConductorError('CONFIG_INVALID', message, { cause });
}

async function fileSettings(file: string, mistakes: string[]): Promise<Setting[]> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const problems = collectProblems({ read: () => bytes });
  const node = parseYaml(file, bytes, problems);
  mistakes.push(...problems.list().map(renderProblem));
  if (node === null || problems.list().length > 0) return [];
  if (node.kind === 'mapping') return leaves(node, []);
  mistakes.push(`${showPlace(node.place)}: expected a mapping of settings`);
  return [];
}

/** Every scalar and list of a mapping, with its key's place; an empty mapping is a leaf too. */
function leaves(node: Node, path: readonly string[]): Setting[] {
  if (node.kind !== 'mapping') return [];
  return node.entries.flatMap(({ key, keyNode, value }) => {
    const inner = [...path, key];
    if (value.kind === 'mapping' && value.entries.length > 0) return leaves(value, inner);
    return [{ path: inner, value: plain(value), origin: showPlace(keyNode.place) }];
  });
}

function plain(node: Node): Data {
  if (node.kind === 'scalar') return node.value;
  return node.kind === 'sequence' ? node.items.map(plain) : {};
}

function environmentSettings(
  schema: { shape: Readonly<Record<string, z.ZodType>> },
  { environment, prefix }: SettingsSource,
  mistakes: string[],
): Setting[] {
  const known = new Map(
    pathsOf(schema).map((path) => [`${prefix}${path.join('_').toUpperCase()}`, path]),
  );
  return Object.entries(environment).flatMap(([name, text]) => {
    if (!name.startsWith(prefix) || name === `${prefix}CONFIG` || text === undefined) return [];
    const path = known.get(name);
    const origin = `environment variable ${name}`;
    if (path !== undefined) return [{ path, value: resolvePlain(text) ?? text, origin }];
    mistakes.push(`${origin}: unknown setting${didYouMean(name, known.keys())}`);
    return [];
  });
}

function flagSettings(flags: SettingsSource['flags']): Setting[] {
  return Object.entries(flags).flatMap(([key, value]) =>
    value === undefined ? [] : [{ path: [key], value, origin: `--${key.replaceAll('_', '-')}` }],
  );
}

/** Where a setting can stand: `tls`, `tls.cert`, … */
function pathsOf(schema: { shape: Readonly<Record<string, z.ZodType>> }): string[][] {
  return Object.entries(schema.shape).flatMap(([key, inner]) => {
    const shape = shapeOf(inner);
    return shape === null ? [[key]] : Object.keys(shape).map((name) => [key, name]);
  });
}

/** The fields of an object schema below its defaults; `null` for anything else. */
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof schema !== 'object' || schema === null) return null;
  if ('shape' in schema && typeof schema.shape === 'object' && schema.shape !== null)
    return { ...schema.shape };
  return 'unwrap' in schema && typeof schema.unwrap === 'function'
    ? shapeOf(schema.unwrap())
    : null;
}

function assemble(settings: readonly Setting[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { path, value } of settings) put(values, path, value);
  return values;
}

function put(values: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: Data) {
  if (rest.length === 0) {
    values[key] = value;
    return;
  }
  const inner = values[key];
  const next: Record<string, unknown> = isRecord(inner) ? { ...inner } : {};
  put(next, rest, value);
  values[key] = next;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function explain(
  issue: z.core.$ZodIssue,
  settings: readonly Setting[],
  schema: { shape: Readonly<Record<string, z.ZodType>> },
): string[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys')
    return [`${originOf(settings, path)}: ${path.join('.')}: ${issue.message}`];
  const known = path.length === 0 ? schema.shape : (shapeOf(schema.shape[path[0] ?? '']) ?? {});
  return issue.keys.map((key) => {
    const place = originOf(settings, [...path, key]);
    return `${place}: unknown key "${[...path, key].join('.')}"${didYouMean(key, Object.keys(known))}`;
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
