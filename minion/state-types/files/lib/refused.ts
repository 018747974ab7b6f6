import { z } from 'zod';

/** An argument of Salt's that has no place here: the manual and the message say why. */
export function refused(why: string) {
  return z
    .never({ error: `is not taken: ${why}` })
    .exactOptional()
    .describe(`Not taken: ${why}`);
}
