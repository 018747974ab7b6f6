import * as z from 'zod/mini';

/** A time in which a minion does not refresh by itself. It always ends. */
export const pauseSchema = z.strictObject({
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** For those who wonder why nothing happens. */
  why: z.string().check(z.minLength(1), z.maxLength(200)),
  by: z.enum(['minion', 'master']),
});

export type Pause = z.infer<typeof pauseSchema>;

/** Long enough for a holiday, too short to be forgotten. */
export const LONGEST_PAUSE_SECONDS = 14 * 86_400;

/** What is asked for: from now on, so that two clocks need not agree. */
export const pauseRequestSchema = z.strictObject({
  seconds: z.int().check(z.positive(), z.maximum(LONGEST_PAUSE_SECONDS)),
  why: z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(200),
      z.regex(/^\P{Cc}*$/u, 'must be one line, without control characters'),
    ),
});

export type PauseRequest = z.infer<typeof pauseRequestSchema>;
