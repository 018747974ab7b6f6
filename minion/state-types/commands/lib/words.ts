/** The words of a line as a shell splits it: quotes hold words together, a backslash takes the next letter as it is. */
export function wordsOf(line: string): string[] {
  const words = [...line.matchAll(WORD)].map(([word]) => word.replaceAll(PART, unquoted));
  return words;
}

const WORD = /(?:[^\s'"\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*")+/gu;
const PART = /\\(?<escaped>[^])|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[^])*)"/gu;

function unquoted(_all: string, escaped?: string, single?: string, double?: string): string {
  return escaped ?? single ?? (double ?? '').replaceAll(/\\([^])/gu, '$1');
}
