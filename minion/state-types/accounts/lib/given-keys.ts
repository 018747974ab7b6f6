import { ConductorError } from '../../../../shared/errors.ts';
import type { TreeFile } from '../../../../shared/tree-file.ts';
import { isKeyOfType, parseKeyLine } from './authorized-keys.ts';
import type { AuthorizedKey } from './authorized-keys.ts';

/** Keys as arguments give them. */
export interface GivenKeys {
  readonly ssh_keys?: readonly string[];
  readonly source?: TreeFile;
  readonly enc?: string;
  readonly options?: readonly string[];
  readonly comment?: string;
}

/** A key from a whole line or from the key alone, whose type is then `enc`; `null` if it is none. */
export function plainKey(text: string, enc?: string): AuthorizedKey | null {
  const line = parseKeyLine(text);
  if (line !== null) return enc === undefined || enc === line.enc ? line : null;
  const [key = '', ...comment] = text.trim().split(/[ \t]+/u);
  const type = enc ?? 'ssh-rsa';
  if (!isKeyOfType(key, type)) return null;
  return { enc: type, key, options: [], comment: comment.join(' ') };
}

/** All keys that are given, with the options and the remark that are given for those without their own. */
export function keysIn({
  ssh_keys: keys = [],
  source,
  enc,
  options,
  comment,
}: GivenKeys): AuthorizedKey[] {
  const lines = source === undefined ? keys : linesOf(source);
  return lines.flatMap((line) => {
    const key = plainKey(line, enc) ?? parseKeyLine(line);
    if (key === null) {
      if (source !== undefined) throw notAKey(source, line);
      return [];
    }
    const own = key.options.length > 0 ? key.options : (options ?? []);
    return [{ ...key, options: own, comment: key.comment === '' ? (comment ?? '') : key.comment }];
  });
}

/** The lines of a file of keys, without remarks. */
function linesOf(source: TreeFile): string[] {
  const text = Buffer.from(source.read()).toString();
  return text.split('\n').filter((line) => !/^\s*(?:#|$)/u.test(line));
}

function notAKey({ path }: TreeFile, line: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot take the keys of "${path}": "${line.trim().slice(0, 40)}" is no public key`,
    { lacks: [] },
  );
}
