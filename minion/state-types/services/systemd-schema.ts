import { z } from 'zod';
import { ONE_SOURCE, hasOneSource, textSource } from '../lib/text-source.ts';
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
    ...textSource,
    verify: z
      .boolean()
      .default(true)
      .describe('Whether systemd must find nothing wrong with it, its programs included'),
  })
  .refine(hasOneSource, ONE_SOURCE)
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
