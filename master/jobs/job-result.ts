import type { TargetState } from '../../protocol/messages.ts';
import { EXIT } from '../../shared/exit-codes.ts';
import type { JobTarget } from '../store/store.ts';

export const UNFINISHED_STATES = [
  'queued',
  'delivered',
  'running',
] as const satisfies readonly TargetState[];

export function hasEnded(state: TargetState): boolean {
  return !UNFINISHED_STATES.some((unfinished) => unfinished === state);
}

/** The worst that befell a target: a tree that does not compile, a failure, a loss. */
export function exitCodeOfTargets(targets: readonly Pick<JobTarget, 'state' | 'error'>[]): number {
  const codes = targets.map(exitCodeOfTarget);
  return [EXIT.tree, EXIT.failed, EXIT.offline].find((code) => codes.includes(code)) ?? EXIT.ok;
}

function exitCodeOfTarget({ state, error }: Pick<JobTarget, 'state' | 'error'>): number {
  if (state === 'ok' || state === 'changed') return EXIT.ok;
  if (state !== 'failed') return EXIT.offline;
  return error?.code === 'TREE_INVALID' || error?.code === 'SEALED_VALUE' ? EXIT.tree : EXIT.failed;
}
