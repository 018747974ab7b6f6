import { z } from 'zod';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { unitName } from './lib/units.ts';

const fields = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9:_.\\@-]{1,200}$/u, { error: 'expected the name of a unit, such as shop' })
    .transform(unitName)
    .describe('Name of the unit; without an ending it is a service'),
  dropin: z
    .string()
    .regex(/^(?!\.)[\w.@+-]{1,100}$/u, { error: 'expected the name of a file, such as limits' })
    .transform((name) => name.replace(/\.conf$/u, ''))
    .exactOptional()
    .describe('Only this drop-in of the unit, which adds to it or overrides parts of it'),
};

export const unitSchema = z
  .strictObject({
    ...fields,
    source: z
      .custom<TreeFile>(isTreeFile, { error: 'expected a file below templates/' })
      .meta({ type: 'string' })
      .exactOptional()
      .describe('A file below templates/; rendered if it ends in .hbs'),
    contents: z
      .union([z.string(), z.array(z.string()).transform((lines) => lines.join('\n'))])
      .exactOptional()
      .describe('The unit file itself, as a text or a list of lines'),
    template: z
      .enum(['handlebars', 'none'])
      .exactOptional()
      .describe('Whether the source is rendered, where its name alone does not say so'),
    context: z.record(z.string(), z.unknown()).exactOptional().describe('Values for the template'),
    defaults: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .describe('Values for the template that `context` does not give'),
    verify: z
      .boolean()
      .default(true)
      .describe('Whether systemd must find nothing wrong with it, its programs included'),
  })
  .refine(({ source, contents }) => (source === undefined) !== (contents === undefined), {
    error: 'a unit has either `source` or `contents`',
    path: ['source'],
  })
  .describe(
    'A unit file in /etc/systemd/system, or a drop-in of one. `systemd-analyze verify` judges it beside all others before ' +
      'anything is replaced: an unknown key or a program that is not there is an error. Then systemd reads it. To start the unit, ' +
      'and to restart it on a change, a service.running watches it. A unit that is masked is refused: service.unmasked lifts that. Everybody can read a unit, so no secret goes into one.',
  );

export const unitAbsentSchema = z
  .strictObject(fields)
  .describe(
    'No such unit file in /etc/systemd/system, or no such drop-in. Where nothing else defines the unit it is stopped and ' +
      'disabled first.',
  );

export type UnitArgs = z.infer<typeof unitSchema>;
export type UnitAbsentArgs = z.infer<typeof unitAbsentSchema>;
