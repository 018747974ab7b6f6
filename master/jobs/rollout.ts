import { z } from 'zod';
import { DAY_SECONDS } from '../../shared/duration.ts';
import { ConductorError } from '../../shared/errors.ts';

const share = z
  .string()
  .regex(/^(?:[1-9][0-9]{0,5}|(?:100|[1-9]?[0-9])%)$/u, 'write a number such as 5, or 10%')
  .refine((text) => text !== '0%', 'write at least 1%');

const time = z.iso.datetime();

export const LONGEST_BATCH_WAIT_DAYS = 1;

/** How a job goes over its targets: how many at once, how many failures it bears, from when to when. */
export const rolloutSchema = z.strictObject({
  /** How many may be under way at once, `5` or `10%`; `null` for all. */
  batch: share.nullable().default(null),
  /** How long the place of a target that has ended stays empty. */
  batchWaitSeconds: z
    .int()
    .nonnegative()
    .max(LONGEST_BATCH_WAIT_DAYS * DAY_SECONDS, 'must be at most a day')
    .default(0),
  /** With so many failures, `3` or `10%` of the targets, nothing more is delivered; `null`: never mind. */
  maxFailures: share.nullable().default(null),
  /** Not before this; `null` for at once. */
  startsAt: time.nullable().default(null),
  /** A target that is away gets it when it is back before this; `null`: then it is unreachable. */
  expiresAt: time.nullable().default(null),
  /** Whether it may wait for another run of the minion. */
  queue: z.boolean().default(true),
});

export type Rollout = Readonly<z.infer<typeof rolloutSchema>>;

export const ALL_AT_ONCE: Rollout = rolloutSchema.parse({});

const YEAR_MS = 366 * 86_400_000;
/** What the clock of somebody who says "now" may be behind. */
const SKEW_MS = 60_000;

/** Throws USAGE for times that are over, in the wrong order, or too far away to be meant. */
export function checkTimes({ startsAt, expiresAt }: Rollout, now: Date): void {
  const from = startsAt === null ? now.getTime() : Date.parse(startsAt);
  const until = expiresAt === null ? from + SKEW_MS : Date.parse(expiresAt);
  if (from < now.getTime() - SKEW_MS)
    throw refusal(`it was to begin at ${startsAt}, which is over`);
  if (until <= from) throw refusal(`it would expire at ${expiresAt}, before it begins`);
  if (Math.max(from, until) > now.getTime() + YEAR_MS)
    throw refusal('it lies more than a year ahead');
}

function refusal(problem: string): ConductorError {
  return new ConductorError('USAGE', `Cannot make the job: ${problem}`);
}

/** How many targets may be under way at once: at least one. */
export function batchSize({ batch }: Rollout, targets: number): number {
  return batch === null ? targets : Math.max(1, Math.floor(shareOf(batch, targets)));
}

/** With so many failures it is over: at least one. */
export function failureLimit({ maxFailures }: Rollout, targets: number): number {
  if (maxFailures === null) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.ceil(shareOf(maxFailures, targets)));
}

function shareOf(text: string, targets: number): number {
  const number = Number.parseInt(text, 10);
  return text.endsWith('%') ? (number * targets) / 100 : number;
}
