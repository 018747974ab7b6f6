/** How many states there were, and what came of them. */
export interface ShownCounts {
  readonly total: number;
  readonly unchanged: number;
  readonly changed: number;
  readonly wouldChange: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unknown: number;
  readonly drift?: number | undefined;
}

/** `12 states: 2 changed, 10 unchanged`. */
export function renderCounts(counts: ShownCounts): string {
  const parts = [
    [counts.failed, 'failed'],
    [counts.changed, withDrift('changed', counts)],
    [counts.wouldChange, withDrift('would change', counts)],
    [counts.unknown, 'unknown'],
    [counts.skipped, 'skipped'],
    [counts.unchanged, 'unchanged'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const total = `${counts.total} ${counts.total === 1 ? 'state' : 'states'}`;
  return said.length === 0 ? total : `${total}: ${said.join(', ')}`;
}

/** A report is of a dry run or it is none, so all drift stands behind one word. */
function withDrift(word: string, { drift = 0 }: ShownCounts): string {
  return drift === 0 ? word : `${word} (${drift} drift)`;
}
