export function isGlob(pattern: string): boolean {
  return /[*?[]/u.test(pattern);
}

/** One letter of a text, or any number of any letters. */
type Piece = '*' | ((letter: string) => boolean);

/**
 * Shell patterns as Salt reads them: `*`, `?`, `[abc]`, `[!abc]`; the whole text must match. However many stars there are, and
 * whatever the text is, it takes no longer than to look for each piece at each letter.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const pieces = piecesOf(pattern);
  return (text) => isMatch(pieces, Array.from(text));
}

function isMatch(pieces: readonly Piece[], letters: readonly string[]): boolean {
  let [at, piece, star, resumed] = [0, 0, -1, 0];
  while (at < letters.length) {
    const wanted = pieces[piece];
    if (wanted === '*') {
      [star, resumed] = [piece, at];
      piece += 1;
    } else if (wanted?.(letters[at] ?? '') === true) {
      at += 1;
      piece += 1;
    } else if (star >= 0) {
      // Of the last star one letter more: what stands before it fits already.
      resumed += 1;
      [at, piece] = [resumed, star + 1];
    } else return false;
  }
  return pieces.slice(piece).every((rest) => rest === '*');
}

function piecesOf(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let index = 0; index < pattern.length; index += 1) {
    const letter = String.fromCodePoint(pattern.codePointAt(index) ?? 0);
    const end = letter === '[' ? pattern.indexOf(']', index + 2) : -1;
    if (end > 0) {
      const one = new RegExp(`^${lettersIn(pattern.slice(index + 1, end))}$`, 'su');
      pieces.push((text) => one.test(text));
      index = end;
    } else if (letter === '*') pieces.push('*');
    else if (letter === '?') pieces.push(() => true);
    else {
      pieces.push((text) => text === letter);
      index += letter.length - 1;
    }
  }
  return pieces;
}

/** `abc` and `a-z`, `!` for all others; a range that runs backwards holds nothing. */
function lettersIn(inside: string): string {
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
