import type { Declaration } from '../../../language/declaration.ts';
import { canonicalJson } from '../../../shared/canonical-json.ts';
import type { Attributes } from '../../../shared/change.ts';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { Wanted, Wish } from './wanted.ts';

/** What a type said that it wants, each time that it was asked; `undefined` if nobody asked. */
export type Seen = Partial<Attributes> | null | undefined;

/** What a declaration asks for: its arguments as they came out, with the content of the tree's files. */
export function wishOf(
  { type, args, guards, runas }: Declaration,
  seen: Seen,
  { digest }: Pick<Wanted, 'digest'>,
): Wish {
  const asked = digest(canonicalJson({ type, args: contentsIn(args), guards, runas }));
  return { asked, wanted: seen === undefined ? null : digest(`wanted ${canonicalJson(seen)}`) };
}

/** The digest of a thing that is not to exist. */
export function absence({ digest }: Pick<Wanted, 'digest'>): string {
  return digest('wanted null');
}

/** A file of the tree counts by what it holds, wherever in the tree it stands. */
function contentsIn(value: unknown): unknown {
  if (isTreeFile(value)) return { sha256: value.sha256, mode: value.mode };
  if (Array.isArray(value)) return value.map((item: unknown) => contentsIn(item));
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map || value instanceof Set) return contentsIn([...value]);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, contentsIn(item)]));
}
