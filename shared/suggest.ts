/** The candidate that a mistyped word most likely meant; `null` if none is close enough. */
export function suggest(word: string, candidates: Iterable<string>): string | null {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `, did you mean "x"?` to put behind a message; empty if nothing is close. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = suggest(word, candidates);
  return meant === null ? '' : `, did you mean "${meant}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other (Damerau and Levenshtein). */
function editDistance(a: string, b: string): number {
  let twoAbove: readonly number[] = [];
  let above: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = at(above, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwap ? at(twoAbove, column - 2) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, at(above, column) + 1, at(next, column - 1) + 1));
    }
    [twoAbove, above] = [above, next];
  }
  return at(above, b.length);
}

function at(distances: readonly number[], column: number): number {
  return distances[column] ?? 0;
}
