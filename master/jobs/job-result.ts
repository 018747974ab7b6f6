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

const WORST_FIRST = [EXIT.tree, EXIT.failed, EXIT.refused, EXIT.offline] as const;

const FAILURES: ReadonlyMap<string, number> = new Map([
  ['TREE_INVALID', EXIT.tree],
  ['SEALED_VALUE', EXIT.tree],
  ['MASTER_UNREACHABLE', EXIT.offline],
  ['NOTHING_DECLARED', EXIT.refused],
  ['RUN_BUSY', EXIT.refused],
]);

/** The worst that befell a target: a tree that does not compile, a failure, a refusal, a loss. */
export function exitCodeOfTargets(targets: readonly Pick<JobTarget, 'state' | 'error'>[]): number {
  const codes = targets.map(exitCodeOfTarget);
  return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.ok;
}

function exitCodeOfTarget({ state, error }: Pick<JobTarget, 'state' | 'error'>): number {
  if (state === 'ok' || state === 'changed') return EXIT.ok;
  if (state !== 'failed') return EXIT.offline;
  return FAILURES.get(error?.code ?? '') ?? EXIT.failed;
}
