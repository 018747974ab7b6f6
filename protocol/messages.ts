import * as z from 'zod/mini';
import { countSchema, sha256Schema } from './identifiers.ts';
import { pauseRequestSchema, pauseSchema } from './pause.ts';
import { LARGEST_REPORT, countsSchema, reportSchema, runEventSchema } from './report.ts';
import { manifestEntrySchema, pillarSchema, runOptionsSchema } from './run-request.ts';

/**
 * The JSON messages of a session, by direction. `protocol/channel.ts` carries them, in one record
 * or as a chunk stream when they are larger. Nothing that is not listed here is understood.
 */

const request = countSchema;

/** What a minion knows about its machine, by name. */
export const factsSchema = z.record(z.string(), z.json());

export type WireFacts = z.infer<typeof factsSchema>;

/** What a minion will do by itself. */
const intentions = {
  /** When the schedule will next run by itself. */
  nextRefresh: z.nullable(z.iso.datetime()),
  /** Who says so: `pillar`, `minion.yaml` or `default`. */
  scheduleSource: z.optional(z.string().check(z.maxLength(32))),
  /** What holds that back. */
  pause: z.optional(z.nullable(pauseSchema)),
};

/** From a minion to its master. */
export const minionMessageSchema = z.discriminatedUnion('type', [
  /** First after the verdict: what this minion is and can. */
  z.strictObject({
    type: z.literal('hello'),
    version: z.string(),
    capabilities: z.array(z.string()),
    facts: factsSchema,
    /** Jobs that are under way or spooled here: the master does not send them again. */
    jobs: z.array(z.uuid()),
    ...intentions,
  }),
  z.strictObject({ type: z.literal('facts'), facts: factsSchema }),
  z.strictObject({ type: z.literal('schedule'), ...intentions }),
  /** The job is in the minion's journal: it will run, and its report will come. */
  z.strictObject({ type: z.literal('job-accepted'), job: z.uuid(), waiting: z.boolean() }),
  z.strictObject({ type: z.literal('job-event'), job: z.uuid(), event: runEventSchema }),
  /** A finished run; sent until the master acknowledges it. */
  z.strictObject({ type: z.literal('report'), report: reportSchema }),
  /** What is the newest revision, and my pillar? `have` is what the minion already holds. */
  z.strictObject({
    type: z.literal('prepare'),
    request,
    /** For this revision; `null` for the newest. */
    revision: z.nullable(sha256Schema),
    have: z.strictObject({ share: z.nullable(sha256Schema), pillar: z.nullable(sha256Schema) }),
    /** Of a job that the minion was given, or its own by the top file; empty for all of these. */
    stateFiles: z.array(z.string()),
  }),
  /** Blobs of the manifest that the minion was given. */
  z.strictObject({
    type: z.literal('blobs'),
    request,
    sha256: z.array(sha256Schema).check(z.minLength(1), z.maxLength(64)),
  }),
  z.strictObject({ type: z.literal('pong'), request }),
  /** Files of its own that the minion has found damaged and put aside, below its state directory. */
  z.strictObject({
    type: z.literal('put-aside'),
    files: z.array(z.string().check(z.maxLength(512))).check(z.maxLength(100)),
  }),
]);

export type MinionMessage = z.infer<typeof minionMessageSchema>;

const KIB = 1024;
const MIB = 1024 * KIB;

/** How many bytes of JSON a message of each type may have. */
export const MINION_MESSAGE_CAPS: Readonly<Record<MinionMessage['type'], number>> = {
  hello: MIB,
  facts: MIB,
  schedule: 4 * KIB,
  'job-accepted': KIB,
  'job-event': 4 * MIB,
  report: LARGEST_REPORT + KIB,
  prepare: 256 * KIB,
  blobs: 16 * KIB,
  pong: KIB,
  'put-aside': 64 * KIB,
};

/** From a master to one of its minions. */
export const masterMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('job'),
    options: runOptionsSchema,
    revision: sha256Schema,
    /** After this the minion does not start it any more; from now on, so that two clocks need not agree. */
    expiresInSeconds: z.int().check(z.nonnegative()),
    /** `false`: it may not wait for another run. Only for those that can `refuses-when-busy`. */
    queue: z.optional(z.literal(false)),
  }),
  z.strictObject({ type: z.literal('cancel'), job: z.uuid() }),
  /** The report is in the master's store: the minion may forget it. */
  z.strictObject({ type: z.literal('report-stored'), job: z.uuid() }),
  z.strictObject({
    type: z.literal('prepared'),
    request,
    revision: sha256Schema,
    groups: z.array(z.string()),
    /** Id (SHA-256 of the canonical JSON) of the minion's share; `manifest` is `null` if it has it. */
    share: sha256Schema,
    manifest: z.nullable(z.array(manifestEntrySchema)),
    /** `null` if the minion has it. */
    pillar: z.nullable(pillarSchema),
    pillarId: sha256Schema,
  }),
  /** In the order asked; base64. A blob that is not in the minion's share ends the request with `refused`. */
  z.strictObject({ type: z.literal('blobs'), request, blobs: z.array(z.base64()) }),
  /** A request cannot be answered: `error` is for the minion's report. */
  z.strictObject({
    type: z.literal('refused'),
    request,
    error: z.strictObject({ code: z.string(), message: z.string() }),
  }),
  /** Asks for facts to be read anew. */
  z.strictObject({ type: z.literal('send-facts') }),
  z.strictObject({ type: z.literal('ping'), request }),
  /** For minions that can `pause`: no scheduled runs for so long, in place of any pause before. */
  z.strictObject({ type: z.literal('pause'), ...pauseRequestSchema.shape }),
  z.strictObject({ type: z.literal('resume') }),
]);

export type MasterMessage = z.infer<typeof masterMessageSchema>;

export const MASTER_MESSAGE_CAPS: Readonly<Record<MasterMessage['type'], number>> = {
  job: MIB,
  cancel: KIB,
  'report-stored': KIB,
  prepared: 32 * MIB,
  blobs: 128 * MIB,
  refused: MIB,
  'send-facts': KIB,
  ping: KIB,
  pause: 4 * KIB,
  resume: KIB,
};

/** A target's state in a job: the last seven are ends. */
export const TARGET_STATES = [
  'queued',
  'delivered',
  'running',
  'ok',
  'changed',
  'failed',
  'timeout',
  'cancelled',
  'expired',
  'unreachable',
  'interrupted',
] as const;

export type TargetState = (typeof TARGET_STATES)[number];

/** One line of a job's progress, from the master to a command line. */
export const jobEventSchema = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('job'),
    job: z.uuid(),
    /** `null` of a job for later that has not begun: it applies the tree as it is then. */
    revision: z.nullable(sha256Schema),
    targets: z.array(z.string()),
  }),
  z.strictObject({
    event: z.literal('target'),
    minion: z.string(),
    state: z.enum(TARGET_STATES),
    counts: z.optional(countsSchema),
    error: z.optional(z.strictObject({ code: z.string(), message: z.string() })),
    /** What it waits for, in words. */
    waits: z.optional(z.string()),
    /** Of a run: when it began, and how long such a run takes on that minion. */
    since: z.optional(z.iso.datetime()),
    usualMilliseconds: z.optional(z.number()),
  }),
  z.strictObject({ event: z.literal('run'), minion: z.string(), run: runEventSchema }),
  z.strictObject({ event: z.literal('done'), exitCode: z.int() }),
]);

export type JobEvent = z.infer<typeof jobEventSchema>;
