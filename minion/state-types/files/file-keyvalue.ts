import { keysSet } from './lib/key-values.ts';
import { refuseEdit } from './lib/edited-text.ts';
import { defineEdit } from './lib/text-edit.ts';
import { keyValueSchema } from './file-keyvalue-schema.ts';

export const fileKeyvalue = defineEdit({
  name: 'file.keyvalue',
  schema: keyValueSchema,
  example: `/etc/ssh/sshd_config:
  file.keyvalue:
    key_values:
      PermitRootLogin: "no"
      X11Forwarding: "no"
    separator: " "
    uncomment: "#"
    append_if_not_found: true
`,
  samples: ({ key = '', value = '', key_values: all = { [key]: value }, separator, uncomment }) =>
    Object.entries(all).flatMap(([name, is]) => {
      const line = `${name}${separator}${is}`;
      return uncomment === undefined ? [line] : [line, `${uncomment}${line}`];
    }),
  edit(text, args) {
    if (text !== null || args.create_if_missing) return keysSet(text ?? '', args);
    return args.ignore_if_missing ? null : refuseEdit(args, 'there is no such file');
  },
});
