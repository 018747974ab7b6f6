import { z } from 'zod';
import { idleArgument, refusedArgument, seconds } from '../lib/fields.ts';

const unitNameField = z
  .string()
  .regex(/^[A-Za-z0-9:_.\\@-]+$/u, { error: 'expected the name of a unit, such as nginx' })
  .refine((name) => !/@(?:\.[a-z]+)?$/u.test(name), {
    error: 'is a template: name an instance of it, such as getty@tty1',
  })
  .describe('Name of the unit; without an ending it is a service');

const enable = z.boolean().exactOptional();
const refused = {
  sig: refusedArgument('systemd knows whether a unit runs, so no pattern is looked for'),
  no_block: refusedArgument('whether a unit has come up can only be told once it has'),
};

const initDelay = seconds
  .default(1)
  .describe('Seconds after a start during which it must stay up to count as running');

/** How a unit answers to a change of what it watches. */
const reactionFields = {
  reload: z
    .boolean()
    .default(false)
    .describe('Whether it is reloaded, and not restarted, when something it watches changes'),
  full_restart: z
    .boolean()
    .default(false)
    .describe('Whether a restart stops it, and all that is bound to it, before it starts again'),
};

const ONE_WAY = {
  error: 'a unit is either reloaded or restarted: `reload` and `full_restart` exclude each other',
  path: ['full_restart'],
};

export const runningSchema = z
  .strictObject({
    name: unitNameField,
    enable: enable.describe('Whether it is started at boot'),
    ...reactionFields,
    init_delay: initDelay,
    unmask: z.boolean().default(false).describe('Whether a mask is lifted'),
    unmask_runtime: z
      .boolean()
      .default(false)
      .describe('Whether a mask that lasts until the next boot is lifted'),
    ...refused,
  })
  .refine((args) => !(args.reload && args.full_restart), ONE_WAY)
  .describe(
    'A systemd unit that is active. A unit that ends right after its start is a failure, told with the ' +
      'end of its journal. When something it watches has changed it is restarted, or reloaded. ' +
      'A unit without an [Install] section cannot be enabled or disabled, and `enable` says nothing of it.',
  );

export const deadSchema = z
  .strictObject({
    name: unitNameField,
    enable: enable.describe('Whether it is started at boot all the same'),
    init_delay: idleArgument('a stop is waited for until it is done'),
    ...refused,
  })
  .describe('A systemd unit that is not active. A unit that does not exist is dead, too.');

export const enabledSchema = z
  .strictObject({ name: unitNameField })
  .describe(
    'A systemd unit that is started at boot. Whether it runs now is left as it is; a unit without an [Install] section, ' +
      'which cannot be enabled, is as it should be.',
  );

export const disabledSchema = z
  .strictObject({ name: unitNameField })
  .describe('A systemd unit that is not started at boot. Whether it runs now is left as it is.');

const runtime = z
  .boolean()
  .default(false)
  .describe('Whether it is about a mask that lasts until the next boot only');

export const maskedSchema = z
  .strictObject({ name: unitNameField, runtime })
  .describe(
    'A systemd unit that cannot be started, by nobody and by no other unit. One that runs goes on.',
  );

export const unmaskedSchema = z
  .strictObject({ name: unitNameField, runtime })
  .describe('A systemd unit that is not masked, so that it can be started.');

export const modWatchSchema = z
  .strictObject({
    name: unitNameField,
    ...reactionFields,
    sfun: z
      .enum(['running', 'dead'])
      .default('running')
      .describe('Whether it is to run after a change, or to be stopped'),
    init_delay: initDelay,
    ...refused,
  })
  .refine((args) => !(args.reload && args.full_restart), ONE_WAY)
  .describe(
    'Restarts, reloads or stops a systemd unit when something that it watches has changed, and does nothing otherwise. ' +
      'It needs a `watch` or `listen`.',
  );

export type RunningArgs = z.infer<typeof runningSchema>;
export type DeadArgs = z.infer<typeof deadSchema>;
export type UnitArgs = z.infer<typeof enabledSchema>;
export type MaskArgs = z.infer<typeof maskedSchema>;
export type ModWatchArgs = z.infer<typeof modWatchSchema>;
