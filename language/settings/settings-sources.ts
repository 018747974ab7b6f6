import { didYouMean } from '../../shared/suggest.ts';
import type { Data } from '../values/data.ts';
import type { Node } from '../values/node.ts';
import { showPlace } from '../place.ts';
import { collectProblems, renderProblem } from '../problem.ts';
import { resolvePlain } from '../values/scalar.ts';
import { parseYaml } from '../yaml.ts';

/** A value that one source gives, with the words that say where. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: Data;
  readonly origin: string;
}

export interface SettingsFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a YAML file says: every scalar and list, with its key's place. */
export function fileSettings({ path, bytes }: SettingsFile, mistakes: string[]): Setting[] {
  const problems = collectProblems({ read: () => bytes });
  const node = parseYaml(path, bytes, problems);
  mistakes.push(...problems.list().map(renderProblem));
  if (node === null || problems.list().length > 0) return [];
  if (node.kind === 'mapping') return leaves(node, []);
  mistakes.push(`${showPlace(node.place)}: expected a mapping of settings`);
  return [];
}

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

/** What variables such as `CONDUCTOR_MINION_LOG_LEVEL` say; one that fits no setting is a mistake. */
export function environmentSettings(
  paths: readonly (readonly string[])[],
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
  mistakes: string[],
): Setting[] {
  const known = new Map(paths.map((path) => [`${prefix}${path.join('_').toUpperCase()}`, path]));
  return Object.entries(environment).flatMap(([name, text]) => {
    if (!name.startsWith(prefix) || text === undefined) return [];
    const path = known.get(name);
    const origin = `environment variable ${name}`;
    if (path !== undefined) return [{ path, value: resolvePlain(text) ?? text, origin }];
    mistakes.push(`${origin}: unknown setting${didYouMean(name, known.keys())}`);
    return [];
  });
}

/** What flags say, by key. */
export function flagSettings(flags: Readonly<Record<string, string | undefined>>): Setting[] {
  return Object.entries(flags).flatMap(([key, value]) =>
    value === undefined ? [] : [{ path: [key], value, origin: `--${key.replaceAll('_', '-')}` }],
  );
}
