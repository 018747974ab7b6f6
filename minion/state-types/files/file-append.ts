import { z } from 'zod';
import type { TreeFile } from '../../../shared/tree-file.ts';
import {
  editFields,
  makedirs,
  templateFields,
  texts,
  treeSource,
  treeSources,
  treeText,
} from './lib/edit-fields.ts';
import { declaredLines, indexOfLines, linesOf } from './lib/lines.ts';
import { defineEdit } from './lib/text-edit.ts';

const common = {
  ...editFields,
  text: texts.exactOptional().describe('A text, or a list of texts, each of one or more lines'),
  source: treeSource.describe('A file below templates/ that holds the text instead'),
  sources: treeSources.describe('Several such files'),
  ...templateFields,
  makedirs,
};

const ONE_ORIGIN = { error: 'needs one of `text`, `source` and `sources`', path: ['text'] };

interface Origin {
  readonly text?: readonly string[];
  readonly source?: TreeFile;
  readonly sources?: readonly TreeFile[];
}

function hasOneOrigin({ text, source, sources }: Origin): boolean {
  return [text, source, sources].filter((origin) => origin !== undefined).length === 1;
}

const appendSchema = z
  .strictObject({
    ...common,
    ignore_whitespace: z
      .boolean()
      .default(true)
      .describe('Whether a text counts as there if only its white space differs'),
  })
  .refine(hasOneOrigin, ONE_ORIGIN)
  .describe(
    'Texts at the end of a file, each unless its lines already stand one after the other somewhere in it. ' +
      'A file that does not exist is made.',
  );

const prependSchema = z
  .strictObject({
    ...common,
    header: z
      .boolean()
      .default(false)
      .describe('Whether the text must be what the file begins with, not only be somewhere in it'),
  })
  .refine(hasOneOrigin, ONE_ORIGIN)
  .describe(
    'Texts at the beginning of a file, each unless its lines already stand one after the other somewhere in ' +
      'it. A file that does not exist is made.',
  );

function blocksOf({ text, source, sources = [] }: Origin): string[][] {
  const files = source === undefined ? sources : [source];
  return (text ?? files.map(treeText)).map(declaredLines);
}

/** A text with what is not in it yet behind it. */
function appended(
  text: string | null,
  args: Origin & { readonly ignore_whitespace: boolean },
): string {
  const before = text ?? '';
  const isSame = args.ignore_whitespace ? isSameButForSpace : isSameLine;
  let lines = linesOf(before);
  for (const block of blocksOf(args)) {
    if (indexOfLines(lines, block, isSame) === -1) lines = [...lines, ...block];
  }
  return lines.length === linesOf(before).length ? before : `${lines.join('\n')}\n`;
}

function isSameLine(a: string, b: string): boolean {
  return a === b;
}

function isSameButForSpace(a: string, b: string): boolean {
  return a === b || squeezed(a) === squeezed(b);
}

function squeezed(line: string): string {
  return line.trim().replaceAll(/\s+/gu, ' ');
}

/** A text with what is not in it yet before it. */
function prepended(text: string | null, args: Origin & { readonly header: boolean }): string {
  const before = text ?? '';
  const lines = linesOf(before);
  const blocks = blocksOf(args);
  const missing = args.header
    ? headerMissing(lines, blocks.flat())
    : blocks.filter((block) => indexOfLines(lines, block, isSameLine) === -1).flat();
  return missing.length === 0 ? before : `${missing.join('\n')}\n${before}`;
}

function headerMissing(lines: readonly string[], header: readonly string[]): readonly string[] {
  return header.every((line, index) => lines[index] === line) ? [] : header;
}

export const fileAppend = defineEdit({
  name: 'file.append',
  schema: appendSchema,
  example: `/etc/ssh/ssh_config:
  file.append:
    text: |
      Host *.example.org
        ServerAliveInterval 60
`,
  treeFiles: ['source'],
  treeFileLists: ['sources'],
  edit: (text, args) => appended(text, args),
});

export const filePrepend = defineEdit({
  name: 'file.prepend',
  schema: prependSchema,
  example: `/etc/motd:
  file.prepend:
    text: This host is managed.
    header: true
`,
  treeFiles: ['source'],
  treeFileLists: ['sources'],
  edit: (text, args) => prepended(text, args),
});
