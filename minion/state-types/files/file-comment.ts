import { z } from 'zod';
import { editFields } from './lib/edit-fields.ts';
import { indentOf, joined, linesOf } from './lib/lines.ts';
import { compilePattern, pattern } from './lib/pattern.ts';
import { refuseEdit } from './lib/edited-text.ts';
import { defineEdit } from './lib/text-edit.ts';

const fields = {
  ...editFields,
  regex: pattern.describe('Which lines, without their comment mark: a regular expression'),
  char: z
    .string()
    .regex(/^\S+$/u, { error: 'expected what begins a comment, such as #' })
    .default('#')
    .describe('What begins a comment'),
  ignore_missing: z
    .boolean()
    .default(false)
    .describe('Whether it is fine if no line matches, commented or not'),
};

const commentSchema = z
  .strictObject(fields)
  .describe(
    'Every line that matches made a comment. Lines that are comments already count as done; a file with ' +
      'neither is refused, so that a pattern which fits nothing is seen.',
  );

const uncommentSchema = z
  .strictObject(fields)
  .describe(
    'Every comment whose text matches made a line again. Lines that are none count as done; a file with ' +
      'neither is refused, so that a pattern which fits nothing is seen.',
  );

export type CommentArgs = z.infer<typeof commentSchema>;

interface Sorted {
  readonly lines: readonly string[];
  readonly isActive: (line: string) => boolean;
  /** What a comment says if it is made a line again; `null` if it does not match. */
  readonly unmarked: (line: string) => string | null;
}

function sorted(text: string, { regex: source, char }: CommentArgs): Sorted {
  const regex = compilePattern(source);
  const matches = (line: string): boolean => regex.test(line) || regex.test(line.trimStart());
  const isComment = (line: string): boolean => line.trimStart().startsWith(char);
  return {
    lines: linesOf(text),
    isActive: (line) => !isComment(line) && matches(line),
    unmarked(line) {
      if (!isComment(line)) return null;
      let rest = line.trimStart();
      while (rest.startsWith(char)) rest = rest.slice(char.length);
      const said = rest.replace(/^[ \t]/u, '');
      return matches(said) ? indentOf(line) + said : null;
    },
  };
}

/** A text with the lines that match made comments. */
function commented(text: string, args: CommentArgs): string {
  const { lines, isActive, unmarked } = sorted(text, args);
  if (!lines.some(isActive)) {
    if (!args.ignore_missing && !lines.some((line) => unmarked(line) !== null)) refuseNone(args);
    return text;
  }
  const made = lines.map((line) => {
    const indent = indentOf(line);
    return isActive(line) ? indent + args.char + line.slice(indent.length) : line;
  });
  return joined(made, text);
}

/** A text with the comments that match made lines again. */
function uncommented(text: string, args: CommentArgs): string {
  const { lines, isActive, unmarked } = sorted(text, args);
  const made = lines.map((line) => unmarked(line) ?? line);
  const isNone = lines.every((line, index) => line === made[index]);
  if (isNone && !args.ignore_missing && !lines.some(isActive)) refuseNone(args);
  return isNone ? text : joined(made, text);
}

function refuseNone(args: CommentArgs): never {
  refuseEdit(
    args,
    `no line matches ${args.regex}, be it a comment or not (ignore_missing: true lets it be)`,
  );
}

function refuseMissing(args: CommentArgs): null {
  return args.ignore_missing ? null : refuseEdit(args, 'there is no such file');
}

export const fileComment = defineEdit({
  name: 'file.comment',
  schema: commentSchema,
  example: `/etc/sysctl.d/local.conf:
  file.comment:
    regex: ^net.ipv4.ip_forward
`,
  edit: (text, args) => (text === null ? refuseMissing(args) : commented(text, args)),
});

export const fileUncomment = defineEdit({
  name: 'file.uncomment',
  schema: uncommentSchema,
  example: `/etc/locale.gen:
  file.uncomment:
    regex: ^en_US.UTF-8
`,
  edit: (text, args) => (text === null ? refuseMissing(args) : uncommented(text, args)),
});
