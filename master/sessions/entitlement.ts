import { stateFilesOf } from '../../language/share.ts';
import type { Tree } from '../../language/tree.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Facts, Minion, Store } from '../store/store.ts';

/** What a minion wants to be prepared for. */
interface Asked {
  readonly tree: Tree;
  readonly minion: Minion;
  readonly facts: Facts;
  readonly stateFiles: readonly string[];
}

/**
 * Throws PERMISSION_DENIED unless each of the state files is the minion's: the top file gives it, or a
 * job of that revision which the minion has yet to end. Nothing tells whether the tree has another.
 */
export async function refuseForeign({ jobs }: Pick<Store, 'jobs'>, asked: Asked): Promise<void> {
  const { tree, minion, facts, stateFiles } = asked;
  if (stateFiles.length === 0) return;
  const ofJobs = await jobs.stateFilesOpenTo(minion.id, tree.revision);
  const others = stateFiles.filter((name) => !ofJobs.has(name));
  if (others.length === 0) return;
  const ofTop = stateFilesOf(tree, minion, facts);
  const foreign = others.find((name) => !ofTop.has(name));
  if (foreign === undefined) return;
  const message = `Cannot prepare "${minion.id}" for the state file "${foreign}": neither the top file nor a job under way gives it to this minion; apply it from the master`;
  throw new ConductorError('PERMISSION_DENIED', message);
}
