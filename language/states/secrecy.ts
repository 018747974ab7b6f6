import { isTreeDirectory, isTreeFile, type TreeFile } from '../../shared/tree-file.ts';
import type { Draft } from './draft.ts';
import type { Entry } from '../values/node.ts';
import { secretsIn } from '../values/secrets-in.ts';
import type { Place } from '../place.ts';
import type { Problems } from '../problem.ts';
import type { StateSchema } from '../state-schema.ts';

/** The arguments of a state, with the files of the tree that some of them name. */
export interface Given {
  readonly entries: readonly Entry[];
  readonly files: ReadonlyMap<string, unknown>;
}

/** Of these no content is made; what a template takes of its values is seen in the file that it becomes. */
const APART: ReadonlySet<string> = new Set(['context', 'defaults', 'check_cmd', 'pattern']);

/** The argument by which a secret goes into what a state writes; `null` if none does. */
export function secretEntry({ entries, files }: Given): Entry | null {
  const found = entries.find(({ key, value }) => {
    const isContent = !APART.has(key) && secretsIn(value).length > 0;
    return isContent || secretFiles(files.get(key)).length > 0;
  });
  return found ?? null;
}

function secretFiles(file: unknown): readonly TreeFile[] {
  if (Array.isArray(file)) return file.flatMap(secretFiles);
  if (isTreeDirectory(file)) return file.files.flatMap((one) => secretFiles(one.file));
  return isTreeFile(file) && file.isSecret === true ? [file] : [];
}

interface Exposure {
  readonly schema: StateSchema;
  readonly given: Given;
  /** The arguments as they have been checked; `undefined` if they are wrong. */
  readonly args: unknown;
}

/** Reports a secret that everybody could read: by the mode that is asked for, or because of what it is written to. */
export function refuseExposure(
  { type, scope: { chain } }: Draft,
  { schema, given, args }: Exposure,
  problems: Problems,
): void {
  const secret = secretEntry(given);
  if (secret === null) return;
  for (const { key, place, why } of published({ schema, given, args })) {
    const message = `"${key}" of ${type} holds a secret, which everybody could read`;
    problems.add(place, message, { help: why, chain });
  }
  const mode = given.entries.find(({ key }) => key === schema.modeArgument);
  if (mode === undefined || !isOpen(mode, secretFiles(given.files.get(secret.key)))) return;
  const message = `"${mode.key}" of ${type} lets everybody read "${secret.key}", which holds a secret`;
  const help = 'expected a mode such as 0600 or 0640; 0600 is what it gets without one';
  problems.add(mode.value.place, message, { help, chain });
}

interface Published {
  readonly key: string;
  readonly place: Place;
  readonly why: string;
}

/** What everybody can read of what is written, whatever its mode. */
function published({ schema, given, args }: Exposure): readonly Published[] {
  const { publishes } = schema;
  if (publishes !== undefined) {
    const entry = secretEntry(given);
    return entry === null ? [] : [{ key: entry.key, place: entry.value.place, why: publishes }];
  }
  if (schema.publishesAt === undefined || args === undefined) return [];
  return given.entries.flatMap(({ key, value }) =>
    secretsIn(value).flatMap(({ path, node: { place } }) => {
      const why = schema.publishesAt?.(args, [key, ...path]) ?? null;
      return why === null ? [] : [{ key, place, why }];
    }),
  );
}

/** Whether a mode lets those read who are neither its owner nor in its group; `keep` is that of the files. */
function isOpen({ value }: Entry, files: readonly TreeFile[]): boolean {
  const given = value.kind === 'scalar' ? value.value : null;
  const mode = typeof given === 'number' ? String(given) : given;
  if (mode === 'keep') return files.some((file) => isOpenMode(file.mode ?? '0644'));
  return typeof mode === 'string' && isOpenMode(mode);
}

function isOpenMode(mode: string): boolean {
  return /[4-7]$/u.test(mode);
}
