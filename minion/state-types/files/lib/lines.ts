/** The lines of a text, without their ends. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The lines of a text in a tree: how they end is up to the file that they go into. */
export function declaredLines(text: string): string[] {
  return linesOf(text.replaceAll('\r\n', '\n'));
}

/** Puts lines together; the last one has an end if that of `before` had one, or `before` was empty. */
export function joined(lines: readonly string[], before: string): string {
  if (lines.length === 0) return '';
  return lines.join('\n') + (before === '' || before.endsWith('\n') ? '\n' : '');
}

/** Where some lines stand one after the other; -1 if nowhere. */
export function indexOfLines(
  lines: readonly string[],
  wanted: readonly string[],
  isSame: (a: string, b: string) => boolean,
): number {
  for (let at = 0; at + wanted.length <= lines.length; at += 1) {
    if (wanted.every((line, offset) => isSame(line, lines[at + offset] ?? ''))) return at;
  }
  return -1;
}

/** The white space that a line begins with. */
export function indentOf(line: string): string {
  return /^[ \t]*/u.exec(line)?.[0] ?? '';
}
