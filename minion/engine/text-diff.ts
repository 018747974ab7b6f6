import { createTwoFilesPatch } from 'diff';

const LARGEST_TEXT = 512 * 1024;
const LARGEST_DIFF = 64 * 1024;
const EFFORT = { maxEditLength: 4000, timeout: 1000 } as const;

/**
 * The difference of two texts in unified form, or one line that sums it up where that cannot be
 * shown or would take too long.
 */
export function textDiff(
  name: string,
  from: string,
  to: string,
  { hidesBefore = false }: { readonly hidesBefore?: boolean } = {},
): string {
  if (isBinary(from) || isBinary(to)) return `binary content differs (${sizes(from, to)})`;
  if (from.length > LARGEST_TEXT || to.length > LARGEST_TEXT) {
    return `content differs, too large to show (${sizes(from, to)})`;
  }
  const patch: string | undefined = createTwoFilesPatch(name, name, from, to, '', '', {
    context: 3,
    ...EFFORT,
  });
  if (patch === undefined) return `content differs too much to show (${sizes(from, to)})`;
  const body = withoutEarlierSecrets(patch.slice(patch.indexOf('--- ')), hidesBefore);
  if (body.length > LARGEST_DIFF) return `${body.slice(0, LARGEST_DIFF)}\n… (${sizes(from, to)})`;
  return body;
}

const MARK = /secret\([^)]*\)/u;
const HIDDEN = '(not shown: it may hold an earlier secret)';

/**
 * Nobody knows an earlier secret, so it cannot be found by its value: lines that make room for
 * lines with a secret in them are not shown, nor is any that goes where one is known to have been
 * (`hidesBefore`). Both texts have been redacted.
 */
function withoutEarlierSecrets(patch: string, hidesBefore: boolean): string {
  const [from = '', to = '', ...lines] = patch.split('\n');
  const shown: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (hidesBefore ? /^[- ]/u.test(line) : isHiddenAlone(lines, index))
      shown.push(`${line.slice(0, 1)}${HIDDEN}`);
    else shown.push(line);
  }
  return [from, to, ...shown].join('\n');
}

function isHiddenAlone(lines: readonly string[], index: number): boolean {
  return lines[index]?.startsWith('-') === true && isReplacedBySecret(lines, index);
}

/** Whether a secret is among the lines that are added where this one is taken away. */
function isReplacedBySecret(lines: readonly string[], index: number): boolean {
  for (let at = index + 1; /^[-+\\]/u.test(lines[at] ?? ''); at += 1) {
    if (lines[at]?.startsWith('+') === true && MARK.test(lines[at] ?? '')) return true;
  }
  return false;
}

export function isBinary(text: string): boolean {
  return text.includes('\0') || text.includes('\uFFFD');
}

function sizes(from: string, to: string): string {
  return `${Buffer.byteLength(from)} -> ${Buffer.byteLength(to)} bytes`;
}
