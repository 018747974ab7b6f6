import { z } from 'zod';
import { LETTERS } from './case.ts';

/** What a host says about a case while it is run, one JSON text a line. */

const place = { type: z.string(), name: z.string() };

export const findingSchema = z.discriminatedUnion('event', [
  /** A clause holds, or does not and why; `bad` is the refusal of bad input. */
  z.strictObject({
    event: z.literal('clause'),
    ...place,
    clause: z.enum([...LETTERS, 'bad']),
    /** `null` if it holds. */
    why: z.string().nullable(),
  }),
  /** What the case wants: names of attributes; `exists` where it is that the thing is there or not. */
  z.strictObject({
    event: z.literal('wants'),
    ...place,
    attributes: z.array(z.string()),
    disturbed: z.array(z.string()),
    excused: z.array(z.string()),
    isAbsence: z.boolean(),
    isChange: z.boolean(),
  }),
  /** The host lacks something that the case needs. */
  z.strictObject({ event: z.literal('lacks'), ...place, feature: z.string() }),
  z.strictObject({ event: z.literal('ended'), ...place, milliseconds: z.number() }),
]);

export type Finding = z.infer<typeof findingSchema>;
export type FoundClause = Extract<Finding, { event: 'clause' }>['clause'];
