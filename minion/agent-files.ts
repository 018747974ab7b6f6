import * as z from 'zod/mini';
import { sha256Schema } from '../protocol/identifiers.ts';
import { holderSchema } from '../protocol/report.ts';
import { manifestEntrySchema, pillarSchema, runOptionsSchema } from '../protocol/run-request.ts';

/** How the child of a run ends that could not keep its report: then its parent is to. */
export const NOT_SPOOLED = 74;

/** The files that the resident agent keeps in its state directory. */

/** `master.json`: which master is believed. */
export const trustSchema = z.strictObject({
  /** Fingerprint of the root key. */
  pin: z.string(),
  /** The highest serial of a master certificate seen so far, in decimal. */
  serial: z.string().check(z.regex(/^\d{1,20}$/u)),
  /** Where it was reached. */
  masters: z.array(z.string()),
});

/** `revision.sealed`: all that a run needs but the blobs, as the master last gave it. */
export const preparedSchema = z.strictObject({
  revision: sha256Schema,
  groups: z.array(z.string()),
  share: sha256Schema,
  manifest: z.array(manifestEntrySchema),
  pillar: pillarSchema,
});

export type Prepared = z.infer<typeof preparedSchema>;

/** `jobs/<job>.json`: a run that has been accepted and has no report yet. */
export const journalEntrySchema = z.strictObject({
  options: runOptionsSchema,
  /** `null` for the newest. */
  revision: z.nullable(sha256Schema),
  receivedAt: z.iso.datetime(),
  expiresAt: z.nullable(z.iso.datetime()),
  /** `false`: it may not wait for another run. */
  queue: z.optional(z.literal(false)),
  /** How often it has been started. */
  starts: z.int().check(z.nonnegative()),
  /** The process of the last start, and when that was born: a pid alone may be another's by now. */
  child: z.nullable(z.strictObject({ pid: z.int().check(z.positive()), bornAt: z.string() })),
});

export type JournalEntry = z.infer<typeof journalEntrySchema>;

/** `schedule.json`: what the agent before this one intended. */
export const scheduleSchema = z.strictObject({
  nextRefresh: z.nullable(z.iso.datetime()),
  /** As the pillar said last; `null` if it said nothing. An agent of before there was such a thing kept none. */
  schedule: z.optional(z.json()),
  /** What minion.yaml said. */
  refresh: z.optional(z.json()),
  /** The last run that the schedule has started, until its end. */
  job: z.optional(z.nullable(z.uuid())),
  retries: z.optional(z.int().check(z.nonnegative())),
});

export type KeptSchedule = z.infer<typeof scheduleSchema>;

/** `run.json`: the run that is under way; if its process is gone, it was killed. */
export const runningSchema = z.strictObject({
  holder: holderSchema,
  /** When its process was born. */
  bornAt: z.string(),
  /** The directory of its cgroup; `null` if it has none. */
  group: z.nullable(z.string()),
});

export type Running = z.infer<typeof runningSchema>;
