import { lineDoubts, lineEdited } from './lib/line-edit.ts';
import { refuseEdit } from './lib/edited-text.ts';
import { defineEdit } from './lib/text-edit.ts';
import { lineSchema } from './file-line-schema.ts';

export const fileLine = defineEdit({
  name: 'file.line',
  schema: lineSchema,
  example: `/etc/hosts:
  file.line:
    mode: ensure
    content: 10.0.0.5 database
    after: localhost
`,
  modeArgument: 'file_mode',
  doubts: (text, args) => lineDoubts(text, args),
  edit(text, args) {
    if (text !== null || args.create) return lineEdited(text ?? '', args);
    return args.quiet ? null : refuseEdit(args, 'there is no such file (create: true makes it)');
  },
});
