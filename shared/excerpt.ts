/** The last lines of a text, for an error. Cut between words, so that no part of a secret is left. */
export function endOf(text: string, { lines = 20, characters = 4000 } = {}): string {
  const end = text.trimEnd().split('\n').slice(-lines).join('\n');
  if (end.length <= characters) return end;
  return `…${end.slice(-characters).replace(/^\S+/u, '')}`;
}

/** The beginning of a text, cut between words likewise. */
export function beginningOf(text: string, characters: number): string {
  if (text.length <= characters) return text;
  return `${text.slice(0, characters).replace(/\S+$/u, '')}…`;
}
