/** So much of a list of files leaves people the other columns. */
const WIDEST = 30;

/** The state files that a run has applied; on a terminal, where there are many, the first letters of their names. */
export function appliedWords(
  stateFiles: readonly string[],
  { isTerminal }: { readonly isTerminal: boolean },
): string {
  const text = stateFiles.length === 0 ? 'top file' : stateFiles.join(', ');
  return !isTerminal || text.length <= WIDEST ? text : `${text.slice(0, WIDEST)}…`;
}
