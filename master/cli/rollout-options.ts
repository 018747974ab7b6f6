import type { Command } from 'commander';
import { z } from 'zod';
import { parseDuration } from '../../shared/duration.ts';
import { ConductorError } from '../../shared/errors.ts';
import { LONGEST_BATCH_WAIT_DAYS, type Rollout, rolloutSchema } from '../jobs/rollout.ts';
import { parseMoment } from './moment.ts';

const optionsSchema = z.object({
  batch: z.string().optional(),
  batchWait: z.string().optional(),
  maxFailures: z.string().optional(),
  at: z.string().optional(),
  expires: z.string().optional(),
  queue: z.boolean().default(true),
});

/** The options that say how a job goes over its targets. */
export function withRollout(command: Command): Command {
  return command
    .option('--batch <share>', 'so many at once, 5 or 10%: as one ends the next is delivered')
    .option('--batch-wait <time>', 'with --batch: wait so long after each before the next')
    .option('--max-failures <share>', 'deliver no more once 3, or 10%, of the targets have failed')
    .option('--at <time>', 'begin then, with the tree of then: 22:30, +2h or 2026-12-31T22:30')
    .option('--expires <time>', 'until then a target that is away gets it when it comes back')
    .option('--queue', 'let it wait for another run of the minion (default)')
    .option('--no-queue', 'end it at once, as failed, on a minion that is busy');
}

/** Throws USAGE, with the option that is wrong. */
export function readRollout(options: unknown, now: Date): Rollout {
  const given = optionsSchema.parse(options);
  const { batch = null, batchWait, maxFailures = null, at, expires, queue } = given;
  if (batchWait !== undefined && batch === null)
    throw new ConductorError(
      'USAGE',
      'Cannot use --batch-wait without --batch: say how many at once',
    );
  return rolloutSchema.parse({
    batch: checkedShare('--batch', batch),
    batchWaitSeconds:
      batchWait === undefined
        ? 0
        : parseDuration('--batch-wait', batchWait, LONGEST_BATCH_WAIT_DAYS),
    maxFailures: checkedShare('--max-failures', maxFailures),
    startsAt: at === undefined ? null : parseMoment('--at', at, now),
    expiresAt: expires === undefined ? null : parseMoment('--expires', expires, now),
    queue,
  });
}

function checkedShare(option: string, text: string | null): string | null {
  const { success } = rolloutSchema.shape.batch.safeParse(text);
  if (success) return text;
  const message = `Cannot read ${option} "${text ?? ''}": write a number such as 5, or 10%`;
  throw new ConductorError('USAGE', message);
}
