import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMapping } from '../../language/values/data.ts';
import { compilePillar } from '../../language/pillar.ts';
import type { Tree } from '../../language/tree.ts';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import { lintDirectory } from '../lint-directory.ts';

/**
 * Writes the pillar file of a new eKnight; `isAssigned` tells whether app servers see it. Throws
 * USAGE if there is one of that name, TREE_INVALID if the tree has mistakes: then nothing is written.
 */
export async function addToTree(
  tree: string,
  name: string,
  text: string,
): Promise<{ path: string; isAssigned: boolean }> {
  const path = join(tree, 'pillars', 'eknights', `${name}.yaml`);
  await create(path, name, text);
  try {
    return { path, isAssigned: isSeen(await lintDirectory(tree), name) };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Readable for the master, whoever writes it: what is secret in it is sealed. */
async function create(path: string, name: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, text, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    const exists = systemCode(cause) === 'EEXIST';
    const reason = exists ? `"${path}" is there already` : messageOf(cause);
    const message = `Cannot make the eKnight "${name}": ${reason}`;
    throw new ConductorError('USAGE', message, { cause });
  }
}

function isSeen(tree: Tree, name: string): boolean {
  const minion = { id: 'any', groups: ['appserver'] };
  const { eknights } = compilePillar({ tree, minion, unseal: null }).value;
  return isMapping(eknights) && eknights[name] !== undefined;
}
