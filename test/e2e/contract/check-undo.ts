import { isDeepStrictEqual } from 'node:util';
import { dryly, fail, isContent, quietly, say } from './bench.ts';
import type { Bench } from './bench.ts';
import { shell } from './shell.ts';
import { runCase } from './subject.ts';

/** Clause (f): the opposite undoes it, as foreseen and for good. */
export async function checkUndo(bench: Bench): Promise<void> {
  const { named, world } = bench;
  const { undo } = named.case;
  if (undo === undefined) return;
  const { type, declare, after } = undo;
  const variant = { type, declare, part: 'alone' } as const;
  const planned = await dryly('the dry run of the undoing', bench, async () =>
    runCase(named, world, { dryRun: true, variant }),
  );
  if (planned.outcome.status !== 'would-change') fail(`foresaw ${say(planned.outcome)}`);
  const made = await runCase(named, world, { dryRun: false, variant });
  if (made.outcome.status !== 'changed') fail(`the undoing is ${say(made.outcome)}`);
  if (!isDeepStrictEqual(made.outcome.change, planned.outcome.change))
    fail(`foresaw ${say(planned.outcome)}\nand made ${say(made.outcome)}`);
  shell('undo.after', after);
  const second = await quietly('undoing a second time', async () =>
    runCase(named, world, { dryRun: false, variant }),
  );
  if (!isContent(second.outcome)) fail(`undoing a second time is ${say(second.outcome)}`);
}
