import { idleArgument } from '../lib/fields.ts';
import { z } from 'zod';
import { editFields, templateFields, treeSource, treeText } from './lib/edit-fields.ts';
import { declaredLines, joined, linesOf } from './lib/lines.ts';
import { compilePattern, pattern } from './lib/pattern.ts';
import { refuseEdit } from './lib/edited-text.ts';
import { defineEdit } from './lib/text-edit.ts';

const marker = z.string().regex(/^[^\n\r]*\S[^\n\r]*$/u, { error: 'expected a text on one line' });

const schema = z
  .strictObject({
    ...editFields,
    marker_start: marker
      .default('#-- start managed zone --')
      .describe('What the line before the block holds'),
    marker_end: marker
      .default('#-- end managed zone --')
      .describe('What the line after the block holds'),
    content: z.string().exactOptional().describe('The lines of the block; none at all if absent'),
    source: treeSource.describe('A file below templates/ that holds the lines instead'),
    ...templateFields,
    append_if_not_found: z
      .boolean()
      .default(false)
      .describe('Whether the block with its markers is added at the end if it is not there'),
    prepend_if_not_found: z
      .boolean()
      .default(false)
      .describe('Whether it is added at the beginning if it is not there'),
    insert_before_match: pattern
      .exactOptional()
      .describe('It is added before the first line that matches if it is not there'),
    insert_after_match: pattern
      .exactOptional()
      .describe('It is added after the first line that matches if it is not there'),
    append_newline: idleArgument('the end marker always has a line of its own'),
  })
  .refine(({ content, source }) => content === undefined || source === undefined, {
    error: 'a block has either `content` or `source`',
    path: ['content'],
  })
  .refine(({ marker_start: start, marker_end: end }) => start !== end, {
    error: 'is the same as `marker_start`',
    path: ['marker_end'],
  })
  .refine((args) => ways(args).length <= 1, {
    error: 'give one way to add the block where it is not there',
    path: ['append_if_not_found'],
  })
  .describe(
    'The lines between two marker lines. What stands outside of them is left alone. Texts that ' +
      'file.accumulated gathers for this file come after the content.',
  );

/** What the arguments say, and what others have gathered for the file. */
export type BlockArgs = z.infer<typeof schema> & { readonly accumulated?: readonly string[] };

const WAYS = [
  'append_if_not_found',
  'prepend_if_not_found',
  'insert_before_match',
  'insert_after_match',
] as const;

function ways(args: Partial<Record<(typeof WAYS)[number], unknown>>): string[] {
  return WAYS.filter((way) => args[way] !== undefined && args[way] !== false);
}

function contentOf({ content = '', source, accumulated = [] }: BlockArgs): string[] {
  const own = source === undefined ? content : treeText(source);
  return [own, ...accumulated].flatMap(declaredLines);
}

/** A text with the block in it as it is to be. */
function withBlock(text: string, args: BlockArgs): string {
  const { marker_start: startMark, marker_end: endMark } = args;
  const lines = linesOf(text);
  const start = lines.findIndex((line) => line.includes(startMark));
  const end = lines.findIndex((line, index) => index > start && line.includes(endMark));
  const content = contentOf(args);
  if (content.some((line) => line.includes(startMark) || line.includes(endMark))) {
    refuseEdit(args, 'the content holds a marker');
  }
  if (start === -1) {
    if (end !== -1) refuseEdit(args, 'it has the end marker and no start marker');
    return added(text, lines, args);
  }
  if (end === -1) refuseEdit(args, `the start marker in line ${start + 1} has no end marker`);
  if (lines.findIndex((line, index) => index > start && line.includes(startMark)) !== -1) {
    refuseEdit(args, 'it has more than one start marker');
  }
  return joined([...lines.slice(0, start + 1), ...content, ...lines.slice(end)], text);
}

function added(text: string, lines: readonly string[], args: BlockArgs): string {
  const block = [args.marker_start, ...contentOf(args), args.marker_end];
  const at = placeFor(lines, args);
  if (at === null) {
    refuseEdit(args, 'it has no such markers (append_if_not_found: true adds the block)');
  }
  return joined(lines.toSpliced(at, 0, ...block), text === '' ? '' : text);
}

function placeFor(lines: readonly string[], args: BlockArgs): number | null {
  const { insert_before_match: before, insert_after_match: after } = args;
  if (args.append_if_not_found) return lines.length;
  if (args.prepend_if_not_found) return 0;
  const source = before ?? after;
  if (source === undefined) return null;
  const regex = compilePattern(source);
  const found = lines.findIndex((line) => regex.test(line));
  if (found === -1) refuseEdit(args, `it has no such markers, and no line matches ${source}`);
  return before === undefined ? found + 1 : found;
}

export const fileBlockreplace = defineEdit<BlockArgs>({
  name: 'file.blockreplace',
  schema,
  example: `/etc/hosts:
  file.blockreplace:
    marker_start: "# databases"
    marker_end: "# end of databases"
    content: |
      10.0.0.5 db1
      10.0.0.6 db2
    append_if_not_found: true
`,
  treeFiles: ['source'],
  knowing(args, { gathered }) {
    const accumulated = gathered.get(args.name);
    return accumulated === undefined
      ? args
      : { ...args, accumulated: Object.values(accumulated).flat() };
  },
  edit(text, args) {
    if (text !== null) return withBlock(text, args);
    const isMade = args.append_if_not_found || args.prepend_if_not_found;
    return isMade ? withBlock('', args) : refuseEdit(args, 'there is no such file');
  },
});
