import { z } from 'zod';
import { defineState } from '../../engine/state-type.ts';
import { absolutePath } from '../lib/fields.ts';
import { texts } from './lib/edit-fields.ts';

/** Texts for another file. */
export type Accumulated = { text: readonly string[] };

const schema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe(
        'What templates call the texts: `accumulator.NAME`; several states may use one name',
      ),
    filename: absolutePath.describe(
      'The file of file.managed or file.blockreplace that they are for',
    ),
    text: texts.describe('A text, or a list of texts'),
  })
  .describe(
    'Texts that a template of another file is given: `{{#each accumulator.NAME}}` in that of file.managed, and ' +
      'the lines after the content of file.blockreplace. They are gathered from the whole tree before any ' +
      'template is rendered, so this state changes nothing itself.',
  );

type Args = z.infer<typeof schema>;

export const fileAccumulated = defineState({
  name: 'file.accumulated',
  schema,
  example: `shop in the backup:
  file.accumulated:
    name: paths
    filename: /etc/backup.list
    text: /srv/shop
`,
  gathers: ({ name, filename, text }: Args) => ({ path: filename, name, texts: text }),
  read: async ({ text }: Args): Promise<Accumulated> => ({ text }),
  want: ({ text }: Args): Partial<Accumulated> => ({ text }),
  async apply() {
    // Nothing on the host belongs to it: the texts are in the other file.
  },
});
