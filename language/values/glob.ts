const SPECIAL = /[.*+?^${}()|[\]\\/]/gu;

export function isGlob(pattern: string): boolean {
  return /[*?[]/u.test(pattern);
}

/** Shell patterns as Salt reads them: `*`, `?`, `[abc]`, `[!abc]`; the whole text must match. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const expression = new RegExp(`^(?:${translate(pattern)})$`, 'su');
  return (text) => expression.test(text);
}

function translate(pattern: string): string {
  let source = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const letter = pattern[index] ?? '';
    const end = letter === '[' ? pattern.indexOf(']', index + 2) : -1;
    if (letter === '*') source += '.*';
    else if (letter === '?') source += '.';
    else if (end > 0) {
      source += letters(pattern.slice(index + 1, end));
      index = end;
    } else source += letter.replaceAll(SPECIAL, String.raw`\$&`);
  }
  return source.replaceAll(/(?:\.\*)+/gu, '.*');
}

/** `abc` and `a-z`, `!` for all others; a range that runs backwards holds nothing. */
function letters(inside: string): string {
  const isNegated = inside.startsWith('!');
  const members = Array.from(inside.slice(isNegated ? 1 : 0));
  let source = '';
  for (let index = 0; index < members.length; index += 1) {
    const from = members[index] ?? '';
    const to = members[index + 1] === '-' ? members[index + 2] : undefined;
    if (to !== undefined) index += 2;
    if (to === undefined || from <= to) source += `${escaped(from)}-${escaped(to ?? from)}`;
  }
  return `[${isNegated ? '^' : ''}${source}]`;
}

function escaped(letter: string): string {
  return `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`;
}
