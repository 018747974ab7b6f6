import { isDeepStrictEqual } from 'node:util';
import {
  applyCase,
  changedAttributes,
  fail,
  isContent,
  planCase,
  quicklyQuietly,
  say,
} from './bench.ts';
import type { Bench } from './bench.ts';
import { shell } from './shell.ts';

/** Clause (d): each attribute, disturbed by itself, is found, named and repaired. */
export async function checkDisturbances(bench: Bench): Promise<void> {
  const { disturb } = bench.named.case;
  const complaints: string[] = [];
  for (const [name, disturbance] of Object.entries(disturb)) {
    try {
      await checkOne(bench, name, disturbance);
    } catch (error) {
      complaints.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      await applyCase(bench);
    }
  }
  if (complaints.length > 0) fail(complaints.join('\n'));
}

async function checkOne(
  bench: Bench,
  name: string,
  { run, also }: { readonly run: string; readonly also: readonly string[] },
): Promise<void> {
  shell(`disturb ${name}`, run);
  const planned = await quicklyQuietly('the dry run', async () => planCase(bench));
  const expected = [name, ...also].toSorted();
  if (!isDeepStrictEqual(changedAttributes(planned.outcome), expected))
    fail(`found ${say(planned.outcome)}, not ${expected.join(', ')}`);
  const made = await applyCase(bench);
  if (made.outcome.status !== 'changed') fail(`the repair is ${say(made.outcome)}`);
  if (!isDeepStrictEqual(made.outcome.change, planned.outcome.change))
    fail(`foresaw ${say(planned.outcome)}\nand made ${say(made.outcome)}`);
  const settled = await quicklyQuietly('the run after the repair', async () => applyCase(bench));
  if (!isContent(settled.outcome)) fail(`the run after the repair is ${say(settled.outcome)}`);
  shell('after', bench.named.case.expect.after);
}
