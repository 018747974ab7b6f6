import { z } from 'zod';
import { singleLine } from '../lib/fields.ts';
import { KEY_TYPES } from './lib/authorized-keys.ts';

/** Arguments that all types of authorized keys share. */
export const encField = z
  .enum(KEY_TYPES)
  .exactOptional()
  .describe('Type of the key, where it is given alone; ssh-rsa if absent');

export const configField = z
  .string()
  .regex(/^[^\0\n]+$/u)
  .default('.ssh/authorized_keys')
  .describe('The file, from the home directory; %h and %u stand for home and name');

export const optionsField = z
  .array(singleLine.min(1))
  .exactOptional()
  .describe('Restrictions of the key, such as no-pty or from="10.0.0.*"; none if empty');
