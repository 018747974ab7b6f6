import { z } from 'zod';
import { TARGET_STATES } from '../../protocol/messages.ts';
import { countsSchema, reportSchema } from '../../protocol/report.ts';
import { rolloutSchema } from '../jobs/rollout.ts';
import { KEY_STATES } from '../store/store.ts';

/** What the master answers on its socket: the daemon and the command line agree on it here. */

const count = z.int().nonnegative();

export const errorAnswer = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).default({}),
});

export const keyAnswer = z.strictObject({
  id: z.string(),
  state: z.enum(KEY_STATES),
  fingerprint: z.string(),
  groups: z.array(z.string()),
  createdAt: z.string(),
  acceptedAt: z.string().nullable(),
  acceptedBy: z.string().nullable(),
  address: z.string().nullable(),
});

export type KeyAnswer = z.infer<typeof keyAnswer>;

/** What is odd about what was asked, and done all the same. */
const warnings = z.array(z.string());

export const groupedKeyAnswer = z.strictObject({ ...keyAnswer.shape, warnings });

export const keysAnswer = z.strictObject({ keys: z.array(keyAnswer) });

export const invitationAnswer = z.strictObject({
  joinString: z.string(),
  expiresAt: z.string(),
  idGlob: z.string(),
  groups: z.array(z.string()),
  warnings,
});

const lastRun = z.strictObject({
  job: z.string(),
  cause: z.string(),
  status: z.string(),
  endedAt: z.string(),
  revision: z.string(),
  counts: countsSchema,
  owed: count,
});

const lastPartialRun = z.strictObject({ ...lastRun.shape, stateFiles: z.array(z.string()) });

const running = z.strictObject({
  job: z.string(),
  state: z.enum(TARGET_STATES),
  number: count.nullable(),
  total: count.nullable(),
  current: z.string().nullable(),
  /** What it waits for, in words. */
  waits: z.string().nullable(),
});

export const minionStatus = z.strictObject({
  id: z.string(),
  groups: z.array(z.string()),
  online: z.boolean(),
  /** When it last came, or went, or was last known to be there. */
  since: z.string().nullable(),
  address: z.string().nullable(),
  version: z.string().nullable(),
  nextRefresh: z.string().nullable(),
  /** Who says when: `pillar`, `minion.yaml` or `default`. */
  scheduleSource: z.string().nullable(),
  /** What holds that back; `isConfirmed` once the minion has said so. */
  pause: z
    .strictObject({ until: z.string(), why: z.string(), isConfirmed: z.boolean() })
    .nullable(),
  /** Of the whole tree. */
  lastRun: lastRun.nullable(),
  /** Of some state files, if that was after `lastRun`. */
  lastPartialRun: lastPartialRun.nullable(),
  /** How many of its states have drifted in the last seven days. */
  drift: count,
  running: z.array(running),
});

export type MinionStatus = z.infer<typeof minionStatus>;

export const statusAnswer = z.strictObject({
  fingerprint: z.string(),
  listen: z.string(),
  revision: z.strictObject({ revision: z.string(), publishedAt: z.string() }).nullable(),
  broken: z.strictObject({ since: z.string(), message: z.string() }).nullable(),
  pendingKeys: count,
  alarms: z.array(z.strictObject({ at: z.string(), minion: z.string(), message: z.string() })),
  minions: z.array(minionStatus),
});

export type StatusAnswer = z.infer<typeof statusAnswer>;

export const RUN_KINDS = ['job', 'refresh', 'local'] as const;

const targetAnswer = z.strictObject({
  minion: z.string(),
  state: z.enum(TARGET_STATES),
  online: z.boolean(),
  updatedAt: z.string(),
  counts: z.nullable(countsSchema),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  /** What it waits for, in words. */
  waits: z.string().nullable(),
  /** How far its run has come, as far as it has said. */
  progress: z.strictObject({ number: count, total: count, current: z.string() }).nullable(),
});

export const jobAnswer = z.strictObject({
  id: z.string(),
  /** `refresh` and `local` are what a minion ran by itself. */
  kind: z.enum(RUN_KINDS),
  createdAt: z.string(),
  target: z.string(),
  stateFiles: z.array(z.string()),
  params: z.record(z.string(), z.json()),
  dryRun: z.boolean(),
  /** Known of jobs only. */
  timeoutSeconds: count.nullable(),
  rollout: rolloutSchema.nullable(),
  cancelledAt: z.string().nullable(),
  retryOf: z.string().nullable(),
  /** `null` of a job for later that has not begun: it applies the tree as it is then. */
  revision: z.string().nullable(),
  targets: z.array(targetAnswer),
});

export type JobAnswer = z.infer<typeof jobAnswer>;

/** `null` while there is none, or if it has been forgotten. */
export const reportAnswer = z.strictObject({ report: z.nullable(reportSchema) });

export const jobsAnswer = z.strictObject({
  jobs: z.array(jobAnswer),
  /** There are older ones: ask for those before this. */
  next: z.string().nullable(),
});

export const driftAnswer = z.strictObject({
  drifts: z.array(
    z.strictObject({
      minion: z.string(),
      key: z.string(),
      id: z.string(),
      name: z.string(),
      type: z.string(),
      place: z.string(),
      times: count,
      since: z.string(),
      lastAt: z.string(),
      job: z.string(),
    }),
  ),
});

export type DriftAnswer = z.infer<typeof driftAnswer>;

export const pingAnswer = z.strictObject({
  minions: z.array(
    z.strictObject({
      id: z.string(),
      state: z.enum(['answered', 'silent', 'offline']),
      milliseconds: z.number().nullable(),
      since: z.string().nullable(),
    }),
  ),
});

export const pausesAnswer = z.strictObject({
  minions: z.array(
    z.strictObject({
      id: z.string(),
      state: z.enum(['done', 'silent', 'offline', 'too-old']),
      before: z.strictObject({ until: z.string(), why: z.string() }).nullable(),
    }),
  ),
});

export const factsAnswer = z.strictObject({
  facts: z.record(z.string(), z.json()),
  updatedAt: z.string(),
});

const place = z.strictObject({ file: z.string(), line: count, column: count });

export const pillarAnswer = z.strictObject({
  pillar: z.record(z.string(), z.json()),
  origins: z.array(z.strictObject({ path: z.string(), place, beat: z.array(place) })),
});

export const catalogAnswer = z.strictObject({
  revision: z.string(),
  declarations: z.array(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      name: z.string(),
      place,
      args: z.json(),
      requisites: z.array(
        z.strictObject({ kind: z.string(), of: z.array(z.string()), implied: z.boolean() }),
      ),
    }),
  ),
});

export const lintAnswer = z.strictObject({ problems: count, text: z.string() });
