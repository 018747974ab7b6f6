import * as z from 'zod/mini';
import { countSchema } from './identifiers.ts';

/** What a run says of itself while it goes on and when it has ended. Redacted before it gets here. */

const positive = z.int().check(z.positive());

const attributes = z.record(z.string(), z.json());

const changeSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('create'), to: attributes }),
  z.strictObject({ action: z.literal('update'), from: attributes, to: attributes }),
  z.strictObject({ action: z.literal('remove'), from: attributes }),
]);

const error = z.strictObject({
  code: z.string(),
  message: z.string(),
  /** The end of a failed command's output, where there is one. */
  output: z.optional(z.string()),
});

/** What came of one declaration. */
export const outcomeSchema = z.strictObject({
  key: z.string(),
  id: z.string(),
  name: z.string(),
  type: z.string(),
  /** `states/eknight.yaml:12:1` */
  place: z.string(),
  status: z.enum(['unchanged', 'changed', 'would-change', 'failed', 'skipped', 'unknown']),
  /** Made, or in a dry run foreseen; text differences are in `diff`. */
  change: z.optional(changeSchema),
  /** Unified diff of the type's text attribute. */
  diff: z.optional(z.string()),
  /** What a watch made it do (`restarted`), or in a dry run would; also when owed from an earlier run. */
  reaction: z.optional(z.string()),
  error: z.optional(error),
  /** Why it was skipped, or why a dry run cannot know. */
  because: z.optional(z.string()),
  startedAt: z.iso.datetime(),
  milliseconds: z.number().check(z.nonnegative()),
  attempts: z.optional(positive),
});

export type Outcome = z.infer<typeof outcomeSchema>;

export const countsSchema = z.strictObject({
  total: countSchema,
  unchanged: countSchema,
  changed: countSchema,
  wouldChange: countSchema,
  failed: countSchema,
  skipped: countSchema,
  unknown: countSchema,
});

export type Counts = z.infer<typeof countsSchema>;

/** All outcomes of one run on one minion. */
export const reportSchema = z.strictObject({
  /** UUIDv7: the job's id, or one of the minion's own for a scheduled or local run. */
  job: z.uuid(),
  minion: z.string(),
  cause: z.enum(['job', 'refresh', 'local']),
  revision: z.string(),
  dryRun: z.boolean(),
  /** `failed` also when the run could not be compiled: then `error` says why and there are no outcomes. */
  status: z.enum(['ok', 'changed', 'failed', 'timeout', 'cancelled', 'expired', 'interrupted']),
  error: z.optional(error),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  counts: countsSchema,
  outcomes: z.array(outcomeSchema),
  /** Reactions that are still owed when the run ends: keys of declarations. */
  owed: z.array(z.string()),
});

export type Report = z.infer<typeof reportSchema>;

/** One line of a run's progress, in order. */
export const runEventSchema = z.discriminatedUnion('event', [
  /** Another run is under way on the machine; it waits for so long at most. */
  z.strictObject({ event: z.literal('waiting'), seconds: positive }),
  z.strictObject({ event: z.literal('compiling') }),
  z.strictObject({ event: z.literal('compiled'), total: countSchema }),
  z.strictObject({
    event: z.literal('started'),
    number: positive,
    total: positive,
    id: z.string(),
    type: z.string(),
  }),
  z.strictObject({
    event: z.literal('outcome'),
    number: positive,
    total: positive,
    outcome: outcomeSchema,
  }),
  /** The end. Nothing follows it. */
  z.strictObject({ event: z.literal('report'), report: reportSchema }),
]);

export type RunEvent = z.infer<typeof runEventSchema>;

/** The numbers of a list of outcomes. */
export function countOutcomes(outcomes: readonly Outcome[]): Counts {
  const having = (status: Outcome['status']) =>
    outcomes.filter((outcome) => outcome.status === status).length;
  return {
    total: outcomes.length,
    unchanged: having('unchanged'),
    changed: having('changed'),
    wouldChange: having('would-change'),
    failed: having('failed'),
    skipped: having('skipped'),
    unknown: having('unknown'),
  };
}
