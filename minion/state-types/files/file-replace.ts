import { idleArgument } from '../lib/fields.ts';
import { z } from 'zod';
import { editFields } from './lib/edit-fields.ts';
import { indexOfLines, linesOf } from './lib/lines.ts';
import { compilePattern, expanded, missingGroup, pattern, patternFlags } from './lib/pattern.ts';
import { refuseEdit } from './lib/edited-text.ts';
import { defineEdit } from './lib/text-edit.ts';

const schema = z
  .strictObject({
    ...editFields,
    pattern: pattern.describe(
      String.raw`A regular expression in Python's syntax; \w, \d and \b know ASCII only`,
    ),
    repl: z
      .union([z.string(), z.number()])
      .transform(String)
      .describe(String.raw`What each match becomes; \1 and \g<name> are what groups have matched`),
    count: z.int().nonnegative().default(0).describe('How many matches are replaced; 0 is all'),
    flags: patternFlags
      .default('m')
      .describe(
        'IGNORECASE, MULTILINE, DOTALL, a list of these or their number; MULTILINE (8) if absent',
      ),
    append_if_not_found: z
      .boolean()
      .default(false)
      .describe('Whether the replacement becomes the last line if nothing matches'),
    prepend_if_not_found: z
      .boolean()
      .default(false)
      .describe('Whether the replacement becomes the first line if nothing matches'),
    not_found_content: z
      .string()
      .exactOptional()
      .describe('What becomes the first or last line in place of the replacement'),
    ignore_if_missing: z
      .boolean()
      .default(false)
      .describe('Whether it is fine if the file does not exist'),
    backslash_literal: z
      .boolean()
      .default(false)
      .describe('Whether backslashes in the replacement mean themselves'),
    bufsize: idleArgument('a file is always read as a whole'),
  })
  .refine((args) => !args.append_if_not_found || !args.prepend_if_not_found, {
    error: 'is either appended or prepended',
    path: ['prepend_if_not_found'],
  })
  .superRefine((args, context) => {
    const missing = args.backslash_literal ? null : missingGroup(args.repl, args.pattern);
    if (missing === null) return;
    const message = `refers to the group ${missing}, which the pattern does not have`;
    context.addIssue({ code: 'custom', message, path: ['repl'] });
  })
  .describe(
    "Every match of a regular expression in a text file replaced. The syntax is Python's as far as " +
      "JavaScript's engine can do it. A replacement that would itself be replaced again is refused: let the " +
      'pattern tell what is done already.',
  );

export type ReplaceArgs = z.infer<typeof schema>;

/** A text with the matches in it replaced. */
function replaced(text: string, args: ReplaceArgs): string {
  const { pattern: source, flags, count } = args;
  if (!compilePattern(source, flags).test(text)) return withNotFound(text, args);
  let made = 0;
  return text.replaceAll(
    compilePattern(source, `${flags}g`),
    (found: string, ...rest: unknown[]) => {
      made += 1;
      if (count > 0 && made > count) return found;
      return replacement(args, [found, ...rest]);
    },
  );
}

/** Nothing to replace, and nothing in the text that looks replaced. */
function replaceDoubts(text: string, args: ReplaceArgs): string {
  const { pattern: source, flags, repl, backslash_literal: isLiteral } = args;
  if (args.append_if_not_found || args.prepend_if_not_found) return '';
  if (compilePattern(source, flags).test(text)) return '';
  const parts = isLiteral ? [repl] : repl.split(/\\(?:g<\w+>|\d{1,2}|[nrt\\])/u);
  // What takes something away leaves nothing that tells it has.
  const isDone = parts.every((part) => text.includes(part));
  return isDone ? '' : `nothing matches "${source}", so nothing is replaced`;
}

/** What a replacer is called with: the match, its groups, its place, the text, and groups by name. */
function replacement(
  { repl, backslash_literal: isLiteral }: ReplaceArgs,
  found: unknown[],
): string {
  if (isLiteral) return repl;
  const groups = found.map((group) => (typeof group === 'string' ? group : ''));
  const last = found.at(-1);
  const named = typeof last === 'object' && last !== null ? Object.entries(last) : [];
  const byName = Object.fromEntries(named.map(([name, value]) => [name, String(value ?? '')]));
  return expanded(repl, { groups: groups.slice(0, found.findIndex(isPlace)), named: byName });
}

function isPlace(part: unknown): boolean {
  return typeof part === 'number';
}

function withNotFound(text: string, args: ReplaceArgs): string {
  const { append_if_not_found: append, prepend_if_not_found: prepend } = args;
  if (!append && !prepend) return text;
  const content = args.not_found_content ?? replacement(args, ['', 0]);
  const lines = linesOf(text);
  if (indexOfLines(lines, linesOf(content), (a, b) => a === b) !== -1) return text;
  const block = content.endsWith('\n') ? content : `${content}\n`;
  if (prepend) return block + text;
  return text === '' || text.endsWith('\n') ? text + block : `${text}\n${block}`;
}

export const fileReplace = defineEdit({
  name: 'file.replace',
  schema,
  example: `/etc/ssh/sshd_config:
  file.replace:
    pattern: '^#?PasswordAuthentication .*$'
    repl: PasswordAuthentication no
    append_if_not_found: true
`,
  doubts: replaceDoubts,
  edit(text, args) {
    if (text !== null) return replaced(text, args);
    return args.ignore_if_missing ? null : refuseEdit(args, 'there is no such file');
  },
});
