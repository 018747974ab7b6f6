import { z } from 'zod';
import { minionIdSchema } from '../../protocol/identifiers.ts';
import { rolloutSchema } from '../jobs/rollout.ts';
import { TARGET_STATES } from '../../protocol/messages.ts';
import { pauseRequestSchema } from '../../protocol/pause.ts';
import { LONGEST_RUN_SECONDS } from '../../shared/duration.ts';
import { RUN_KINDS } from './answers.ts';

/** What the master may be asked on its socket. Closed: what is not listed is an error. */

export const groupName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/u, 'is not a group name (a-z, 0-9, ".", "_", "-")');
export const publicKeyHex = z
  .string()
  .regex(/^[0-9a-f]{64}$/u, 'is not a public key (64 hex digits)');
const groups = z.array(groupName).max(100);

export const applyRequest = z.strictObject({
  target: z.string().min(1).max(10_000),
  stateFiles: z.array(z.string().min(1)).max(1000).default([]),
  params: z.record(z.string(), z.json()).default({}),
  dryRun: z.boolean().default(false),
  timeoutSeconds: z
    .int()
    .positive()
    .max(LONGEST_RUN_SECONDS, 'must be at most 7 days')
    .default(3600),
  rollout: rolloutSchema.prefault({}),
  /** Answer with the job at once, in place of its events. */
  detach: z.boolean().default(false),
  /** Refuse if any of the targets is paused. */
  respectPause: z.boolean().default(false),
});

export const pauseRequest = z.strictObject({
  target: z.string().min(1).max(10_000),
  ...pauseRequestSchema.shape,
});

export const resumeRequest = z.strictObject({ target: z.string().min(1).max(10_000) });

export const acceptRequest = z.strictObject({
  /** The key's; what is accepted is what somebody has looked at. */
  fingerprint: z.string(),
  groups: groups.optional(),
});

export const addKeyRequest = z.strictObject({
  id: minionIdSchema,
  publicKey: publicKeyHex,
  groups: groups.default([]),
});

export const inviteRequest = z.strictObject({
  idGlob: z.string().min(1).max(128).default('*'),
  groups: groups.default([]),
  expiresSeconds: z
    .int()
    .positive()
    .max(30 * 86_400, 'must be at most 30 days')
    .default(3600),
  /** `host:port` for the join string; the master's own idea of it if absent. */
  address: z.string().optional(),
});

export const pingRequest = z.strictObject({ target: z.string().min(1) });

export const emptyRequest = z.strictObject({});

/** A new job for what has not succeeded of another. */
export const retryRequest = z.strictObject({
  /** Also for what was cancelled. */
  cancelled: z.boolean().default(false),
  detach: z.boolean().default(false),
});

export const listJobsQuery = z.strictObject({
  kind: z.enum(RUN_KINDS).optional(),
  target: z.string().min(1).max(10_000).optional(),
  minion: z.optional(minionIdSchema),
  status: z.enum([...TARGET_STATES, 'unfinished']).optional(),
  since: z.iso.datetime().optional(),
  /** Only those made before this one. */
  before: z.string().optional(),
  limit: z.coerce.number().int().positive().max(1000).default(20),
});

export const driftQuery = z.strictObject({
  target: z.string().min(1).max(10_000).optional(),
  since: z.iso.datetime().default('1970-01-01T00:00:00.000Z'),
});

export const pillarQuery = z.strictObject({ reveal: z.enum(['true', 'false']).default('false') });

export const lintQuery = z.strictObject({ minion: z.optional(minionIdSchema) });
