import { matches, type Candidate, type Target } from '../target.ts';

/** Whether a target may match a minion whose pillar is not known. */
export function couldMatch(target: Target, minion: Candidate): boolean {
  return isPossible(target, minion, { wanted: true });
}

function isPossible(
  target: Target,
  minion: Candidate,
  { wanted }: { readonly wanted: boolean },
): boolean {
  if (target.kind === 'pillar') return true;
  if (target.kind === 'not') return isPossible(target.of, minion, { wanted: !wanted });
  if (target.kind === 'and' || target.kind === 'or' || target.kind === 'list') {
    const needsAll = (target.kind === 'and') === wanted;
    const parts = target.of.map((part) => isPossible(part, minion, { wanted }));
    return needsAll ? parts.every(Boolean) : parts.some(Boolean);
  }
  return matches(target, minion) === wanted;
}
