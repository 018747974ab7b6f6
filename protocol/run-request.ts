import * as z from 'zod/mini';
import { LONGEST_RUN_SECONDS } from '../shared/duration.ts';
import { countSchema, minionIdSchema, sha256Schema } from './identifiers.ts';
import { pauseSchema } from './pause.ts';

/** One file of the minion's share of a revision. */
export const manifestEntrySchema = z.strictObject({
  path: z.string().check(z.minLength(1), z.maxLength(1024)),
  sha256: sha256Schema,
  size: countSchema,
  mode: z.string().check(z.regex(/^[0-7]{4}$/u)),
});

/**
 * A pillar compiled for one minion. Sealed values, and those computed from them, stand in `value`
 * in plain; `secrets` lists where (JSON pointers).
 */
export const pillarSchema = z.strictObject({
  /** SHA-256 of all else as canonical JSON: equal pillars of a minion have equal ids. */
  id: sha256Schema,
  value: z.record(z.string(), z.json()),
  secrets: z.array(z.string()),
  /** Key (hex) of the HMAC that gives secrets their fingerprints in reports: no other minion has it. */
  fingerprintKey: sha256Schema,
});

export type Pillar = z.infer<typeof pillarSchema>;

/** What a run is to do: the same for a job, the daily refresh and a local run. */
export const runOptionsSchema = z.strictObject({
  job: z.uuid(),
  cause: z.enum(['job', 'refresh', 'local']),
  dryRun: z.boolean(),
  /** State files to apply in place of the top file's; empty means the top file. */
  stateFiles: z.array(z.string()),
  /** Values for declared `params` of the state files, from `--set`. */
  params: z.record(z.string(), z.json()),
  /** The whole run must end in this time. */
  timeoutSeconds: z.int().check(z.positive(), z.maximum(LONGEST_RUN_SECONDS)),
});

export type RunOptions = z.infer<typeof runOptionsSchema>;

/** All that the child process of one run gets, on its standard input. */
export const runRequestSchema = z.strictObject({
  options: runOptionsSchema,
  /** `false`: it may not wait for another run. */
  queue: z.optional(z.literal(false)),
  /** Which start of the run this is; the first if absent. */
  starts: z.optional(z.int().check(z.minimum(2))),
  minion: z.strictObject({ id: minionIdSchema, groups: z.array(z.string()) }),
  revision: sha256Schema,
  manifest: z.array(manifestEntrySchema),
  pillar: pillarSchema,
  /** Where the blobs of the manifest are, one file each, named by their SHA-256. */
  blobDirectory: z.string(),
  /** The key (hex) that they are sealed with, and what the run itself keeps; they are plain and it keeps nothing if absent. */
  blobKey: z.exactOptional(sha256Schema),
  /** The minion's state directory: journal, registry, lock. */
  stateDirectory: z.string(),
  /** Where the minion's masters are, `host:port` or a URL; none if it has no master. */
  masters: z._default(z.array(z.string()), []),
  /** What holds scheduled runs back, for the report to tell. */
  paused: z.optional(pauseSchema),
});

export type RunRequest = z.infer<typeof runRequestSchema>;
