import * as z from 'zod/mini';
import { countSchema, sha256Schema } from './identifiers.ts';
import { pauseSchema } from './pause.ts';

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

/** Why something changed, or in a dry run would. */
export const originSchema = z.discriminatedUnion('kind', [
  /** The tree, the pillar or what they refer to asks for something new since it was last as it should be. */
  z.strictObject({ kind: z.literal('intended') }),
  /** They do not: the host has moved. So often by now, and since when. */
  z.strictObject({ kind: z.literal('drift'), times: positive, since: z.iso.datetime() }),
  /** Something else changed, to which this is the answer. */
  z.strictObject({ kind: z.literal('follows'), because: z.string() }),
  /** Nobody can know. */
  z.strictObject({ kind: z.literal('unknown'), because: z.string() }),
]);

export type Origin = z.infer<typeof originSchema>;

/** What stood on the host before something that nobody asked for was put right. */
export const beforeSchema = z.strictObject({
  /** By the host's own clock: when its content was last changed (mtime), and when anything of it was (ctime). */
  modifiedAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
  /** The hash by which the minion keeps its content: `minion drift show`. Only with a key of the minion can it be made. */
  kept: z.optional(sha256Schema),
  /** Why its content is not kept. */
  notKept: z.optional(z.string()),
});

export type Before = z.infer<typeof beforeSchema>;

/** What came of one declaration. */
export const outcomeSchema = z.strictObject({
  key: z.string(),
  id: z.string(),
  name: z.string(),
  type: z.string(),
  /** `states/eknight.yaml:12:1` */
  place: z.string(),
  status: z.enum(['unchanged', 'changed', 'would-change', 'failed', 'skipped', 'unknown']),
  /** Made, in a dry run foreseen, or of what failed because a check did not accept it; text differences are in `diff`. */
  change: z.optional(changeSchema),
  /** Of what changed or would; absent in reports of minions that did not tell yet. */
  origin: z.optional(originSchema),
  before: z.optional(beforeSchema),
  /** Unified diff of the type's text attribute. */
  diff: z.optional(z.string()),
  /** What a watch made it do (`restarted`), or in a dry run would; also when owed from an earlier run. */
  reaction: z.optional(z.string()),
  /** The end of what a command printed that succeeded; that of one that failed is in its error. */
  output: z.optional(z.string()),
  error: z.optional(error),
  /** Why it was skipped, or why a dry run cannot know. */
  because: z.optional(z.string()),
  /** It was skipped although it should have run: something that it needs has failed. */
  blocked: z.optional(z.literal(true)),
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
  /** Of those that changed or would, how many because the host had moved. */
  drift: z.optional(countSchema),
});

export type Counts = z.infer<typeof countsSchema>;

/** A reaction that is owed: who is to react, how, to whose change, and since when. */
const debtSchema = z.strictObject({
  key: z.string(),
  kind: z.enum(['watch', 'onchanges', 'listen']),
  because: z.string(),
  since: z.iso.datetime(),
});

/** All outcomes of one run on one minion. */
export const reportSchema = z.strictObject({
  /** UUIDv7: the job's id, or one of the minion's own for a scheduled or local run. */
  job: z.uuid(),
  minion: z.string(),
  cause: z.enum(['job', 'refresh', 'local']),
  revision: z.string(),
  dryRun: z.boolean(),
  /** What was applied in place of the top file's state files; absent of a run of the whole tree. */
  stateFiles: z.optional(z.array(z.string()).check(z.minLength(1))),
  /** `failed` also when the run could not be compiled: then `error` says why and there are no outcomes. */
  status: z.enum(['ok', 'changed', 'failed', 'timeout', 'cancelled', 'expired', 'interrupted']),
  error: z.optional(error),
  /** Of its last start. */
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** How often it was started; once if absent. All starts but the last were killed. */
  starts: z.optional(z.int().check(z.minimum(2))),
  counts: countsSchema,
  outcomes: z.array(outcomeSchema),
  /** Reactions that are still owed when the run ends: keys of declarations. */
  owed: z.array(z.string()),
  /** The same in full. */
  debts: z.optional(z.array(debtSchema)),
  /** What the minion has left out, in words, as a master takes no report that is larger than `LARGEST_REPORT`. */
  shortened: z.optional(z.string()),
  /** What held scheduled runs back when this one ended, which somebody had asked for. */
  paused: z.optional(pauseSchema),
});

export type Report = z.infer<typeof reportSchema>;

/** In bytes of JSON: more than 20,000 states have to tell. */
export const LARGEST_REPORT = 16 * 1024 * 1024;

/** The run that another one waits for: one at a time on a minion. */
export const holderSchema = z.strictObject({
  pid: positive,
  since: z.iso.datetime(),
  /** `null` of a dry run, which writes nothing down. */
  job: z.nullable(z.uuid()),
  cause: z.nullable(z.enum(['job', 'refresh', 'local'])),
});

export type Holder = z.infer<typeof holderSchema>;

/** One line of a run's progress, in order. */
export const runEventSchema = z.discriminatedUnion('event', [
  /** Another run is under way on the machine, `null` if nobody can tell which; it waits for so long at most. */
  z.strictObject({
    event: z.literal('waiting'),
    seconds: z.optional(positive),
    holder: z.nullable(holderSchema),
  }),
  /** What it needs of the master is still on its way; so many files of those that were not there. */
  z.strictObject({
    event: z.literal('preparing'),
    files: z.optional(z.strictObject({ fetched: countSchema, of: positive })),
  }),
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
    drift: outcomes.filter(({ origin }) => origin?.kind === 'drift').length,
  };
}
