import { z } from 'zod';

/** An argument of Salt's that has no place here, unless it is `false`: the manual and the message say why. */
export function refused(why: string) {
  return z
    .unknown()
    .refine((given) => given === false, { error: `is not taken: ${why}` })
    .exactOptional()
    .describe(`Not taken: ${why}`)
    .meta({ isRefused: true });
}

/** An argument of Salt's that may say what it likes. */
export function idle(why: string) {
  return z
    .union([z.boolean(), z.int(), z.string()])
    .exactOptional()
    .describe(`Salt's; it changes nothing here: ${why}`)
    .meta({ doNotSuggest: true });
}
