import { spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { outcomeSchema } from '../../../protocol/report.ts';
import { caseSchema } from './case.ts';
import type { NamedCase } from './case.ts';
import { throughEffects } from './effects.ts';
import type { Death, Effect } from './effects.ts';
import { runCase } from './subject.ts';
import type { World } from './subject.ts';

/** One run in a process of its own, which may be told to die in the middle of it. */

const orderSchema = z.strictObject({
  type: z.string(),
  name: z.string(),
  case: z.unknown(),
  death: z.strictObject({ effect: z.int(), afterMs: z.number().nullable() }).nullable(),
});

const answerSchema = z.strictObject({ outcomes: z.array(outcomeSchema), effects: z.int() });

/** What the process of a round does: takes the order on standard input, and answers unless it dies. */
export async function playRound(world: World): Promise<void> {
  const order = orderSchema.parse(JSON.parse(await text(process.stdin)));
  const named = { ...order, case: caseSchema.parse(order.case) };
  const effects: Effect[] = [];
  const through = throughEffects(effects, order.death);
  const { outcomes } = await runCase(named, world, { dryRun: false, through });
  process.stdout.write(JSON.stringify({ outcomes, effects: effects.length }));
}

export interface Round {
  readonly hasDied: boolean;
  readonly outcomes: z.infer<typeof answerSchema>['outcomes'];
  /** All that it wrote, on both of its streams. */
  readonly said: string;
}

/** Starts such a process, under another program (with its arguments) if that is given. */
export function startRound(
  { type, name, case: one }: NamedCase,
  death: Death | null,
  under: readonly string[] = [],
): Round {
  const [program, ...args] = [...under, process.execPath, process.argv[1] ?? '', 'round'];
  // `kill` is the runner's own choice, so the case is still as its file says it.
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    input: JSON.stringify({ type, name, case: one, death }),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 300_000,
  });
  if (error !== undefined) throw error;
  const said = `${stdout}\n${stderr}`;
  if (signal === 'SIGKILL') return { hasDied: true, outcomes: [], said };
  if (status !== 0)
    throw new Error(`the process of a round exited with ${String(status)}: ${stderr}`);
  return { hasDied: false, outcomes: answerSchema.parse(JSON.parse(stdout)).outcomes, said };
}
