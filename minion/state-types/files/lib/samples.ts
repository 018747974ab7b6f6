import { isTreeFile } from '../../../../shared/tree-file.ts';
import { linesOf } from './lines.ts';

/** What arguments say of places, owners and such, and not of lines. */
const NO_TEXT: ReadonlySet<string> = new Set([
  'name',
  'user',
  'group',
  'mode',
  'file_mode',
  'dir_mode',
  'backup',
  'check_cmd',
  'tmp_ext',
  'action',
  'flags',
  'location',
]);

/** The lines within arguments; of a regular expression what it matches, if that is a plain text at heart. */
export function samplesIn(args: object): readonly string[] {
  const texts = Object.entries(args).flatMap(([key, value]: [string, unknown]) =>
    NO_TEXT.has(key) ? [] : textsIn(value),
  );
  return texts.flatMap(linesOf);
}

function textsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (isTreeFile(value)) return [new TextDecoder().decode(value.read())];
  if (typeof value !== 'string') return [];
  const plain = value
    .replace(/^\^/u, '')
    .replace(/\$$/u, '')
    .replaceAll(/\\(?=\W)/gu, '');
  return [value, plain];
}
