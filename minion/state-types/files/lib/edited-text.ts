import { ConductorError } from '../../../../shared/errors.ts';
import { bounded } from '../../lib/bounded.ts';
import type { Backup } from './file-safety.ts';

/** What every edit can be told; which of these a type takes is up to its schema. */
export interface EditArgs {
  readonly name: string;
  readonly backup: Backup;
  readonly show_changes: boolean;
  readonly makedirs?: boolean;
  readonly user?: string;
  readonly group?: string;
  readonly mode?: string;
  readonly file_mode?: string;
  readonly dir_mode?: string;
  readonly check_cmd?: string | readonly string[];
  readonly tmp_ext?: string;
  /** The compiler says so. */
  readonly holdsSecret?: boolean;
}

export interface TextEdit<Args extends EditArgs> {
  /**
   * What the text is to become, with `\n` for every end of a line; `text` is `null` if there is no
   * file, and so is the answer if there need not be one. Pure; refuses with `refuseEdit`.
   */
  edit(text: string | null, args: Args): string | null;
}

/** Says in one way why a text cannot be edited. */
export function refuseEdit({ name }: { readonly name: string }, why: string): never {
  throw new ConductorError('STATE_REFUSED', `Cannot edit "${name}": ${why}`);
}

const MOST_BYTES = 32 * 1024 * 1024;

/** The text that a file holds; refuses what is none. */
export function textOf(args: EditArgs, bytes: Uint8Array): string {
  if (bytes.length > MOST_BYTES) refuseEdit(args, 'it is larger than 32 MiB');
  if (bytes.includes(0)) refuseEdit(args, 'it is no text: it holds a NUL byte');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refuseEdit(args, 'it is no UTF-8 text');
  }
}

/** What an edit makes of a text; refuses one that would change its own result again. */
export function resultOf<Args extends EditArgs>(
  edit: TextEdit<Args>,
  text: string | null,
  args: Args,
): string | null {
  const once = edited(edit, text, args);
  if (once === null || once === text || edited(edit, once, args) === once) return once;
  return refuseEdit(
    args,
    'the edit would change its own result again at every run (let the pattern tell what is done already)',
  );
}

/** The edit sees `\n` only; the file keeps what it had. */
function edited<Args extends EditArgs>(
  by: TextEdit<Args>,
  text: string | null,
  args: Args,
): string | null {
  const edit = (given: string | null) => bounded(`edit "${args.name}"`, () => by.edit(given, args));
  if (text === null) return edit(null);
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const body = text.slice(mark.length);
  const isCrlf = body.includes('\r\n') && !/(?<!\r)\n/u.test(body);
  const result = edit(isCrlf ? body.replaceAll('\r\n', '\n') : body);
  if (result === null) return null;
  return mark + (isCrlf ? result.replaceAll(/\r?\n/gu, '\r\n') : result);
}
