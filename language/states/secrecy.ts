import { Secret } from '../../shared/secret.ts';
import { isTreeDirectory, isTreeFile, type TreeFile } from '../../shared/tree-file.ts';
import type { Draft } from './draft.ts';
import { type Entry, type Node } from '../values/node.ts';
import type { Problems } from '../problem.ts';
import type { StateSchema } from '../state-schema.ts';

/** The arguments of a state, with the files of the tree that some of them name. */
export interface Given {
  readonly entries: readonly Entry[];
  readonly files: ReadonlyMap<string, unknown>;
}

/** Of these no content is made; what a template takes of its values is seen in the file that it becomes. */
const APART: ReadonlySet<string> = new Set(['name', 'context', 'defaults', 'check_cmd', 'pattern']);

/** The argument by which a secret goes into what a state writes; `null` if none does. */
export function secretEntry({ entries, files }: Given): Entry | null {
  const found = entries.find(({ key, value }) => {
    const isContent = !APART.has(key) && hasSecret(value);
    return isContent || secretFiles(files.get(key)).length > 0;
  });
  return found ?? null;
}

function hasSecret(node: Node): boolean {
  if (node.kind === 'scalar') return node.value instanceof Secret;
  if (node.kind === 'sequence') return node.items.some(hasSecret);
  return node.kind === 'mapping' && node.entries.some(({ value }) => hasSecret(value));
}

function secretFiles(file: unknown): readonly TreeFile[] {
  if (Array.isArray(file)) return file.flatMap(secretFiles);
  if (isTreeDirectory(file)) return file.files.flatMap((one) => secretFiles(one.file));
  return isTreeFile(file) && file.isSecret === true ? [file] : [];
}

/** Reports a secret that everybody could read: by the mode that is asked for, or because of what it is written to. */
export function refuseExposure(
  { type, scope: { chain } }: Draft,
  { schema, given }: { readonly schema: StateSchema; readonly given: Given },
  problems: Problems,
): void {
  const secret = secretEntry(given);
  if (secret === null) return;
  if (schema.publishes !== undefined) {
    const message = `"${secret.key}" of ${type} holds a secret, which everybody could read`;
    problems.add(secret.value.place, message, { help: schema.publishes, chain });
  }
  const mode = given.entries.find(({ key }) => key === schema.modeArgument);
  if (mode === undefined || !isOpen(mode, secretFiles(given.files.get(secret.key)))) return;
  const message = `"${mode.key}" of ${type} lets everybody read "${secret.key}", which holds a secret`;
  const help = 'expected a mode such as 0600 or 0640; 0600 is what it gets without one';
  problems.add(mode.value.place, message, { help, chain });
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
