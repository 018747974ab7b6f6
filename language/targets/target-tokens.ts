/** A piece of a target expression; columns count from 1. */
export type Token =
  | { readonly kind: 'and' | 'or' | 'not' | '(' | ')' | '[' | ']' | ','; readonly column: number }
  | { readonly kind: 'word'; readonly column: number; readonly word: string };

const QUOTED = /"((?:[^"\\]|\\.)*)"/suy;
const PUNCTUATION = /[()[\],]/uy;
const BLANK = /\s+/uy;
/** A `[` within a word begins a class of letters; `re:` takes all up to a blank. */
const WORD = /re:\S+|[^\s()[\],"](?:[^\s()[\],"]|\[[^\]\s]*\])*/uy;

/** Splits a target. What fits nowhere becomes a word of its own, for the parser to refuse. */
export function targetTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const token = tokenAt(text, at);
    if (token.kind !== null) tokens.push(asToken(token.kind, token.text, at + 1));
    at += token.length;
  }
  return tokens;
}

interface Piece {
  readonly kind: 'bare' | 'quoted' | null;
  readonly text: string;
  readonly length: number;
}

function tokenAt(text: string, at: number): Piece {
  const blank = matchAt(BLANK, text, at);
  if (blank !== null) return { kind: null, text: '', length: blank[0].length };
  const quoted = matchAt(QUOTED, text, at);
  if (quoted !== null) {
    const word = (quoted[1] ?? '').replaceAll(/\\(.)/gsu, '$1');
    return { kind: 'quoted', text: word, length: quoted[0].length };
  }
  const found = matchAt(PUNCTUATION, text, at) ?? matchAt(WORD, text, at);
  const bare = found?.[0] ?? text[at] ?? '';
  return { kind: 'bare', text: bare, length: bare.length };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  const sticky = new RegExp(pattern);
  sticky.lastIndex = at;
  return sticky.exec(text);
}

function asToken(kind: 'bare' | 'quoted', word: string, column: number): Token {
  if (kind === 'quoted') return { kind: 'word', column, word };
  switch (word) {
    case 'and':
    case 'or':
    case 'not':
    case '(':
    case ')':
    case '[':
    case ']':
    case ',':
      return { kind: word, column };
    default:
      return { kind: 'word', column, word };
  }
}
