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

function letters(inside: string): string {
  const isNegated = inside.startsWith('!');
  const members = inside.slice(isNegated ? 1 : 0).replaceAll(/[\\^\][]/gu, String.raw`\$&`);
  const ordered = members.replaceAll(/(.)-(.)/gsu, (range, from: string, to: string) =>
    from <= to ? range : '',
  );
  return ordered === ''
    ? '[^]'
    : `[${isNegated ? '^' : ''}${ordered.replaceAll(/^-|-$/gu, String.raw`\-`)}]`;
}
