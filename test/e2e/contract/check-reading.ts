import { schemaKeys } from '../../../language/states/schema-keys.ts';
import type { Case } from './case.ts';
import { applyCase, fail, isContent, quietly, say } from './bench.ts';
import type { Bench } from './bench.ts';
import { runCase } from './subject.ts';

/** Clause (e): declaring what was read is unchanged. */
export async function checkReading(bench: Bench): Promise<void> {
  const { named, world } = bench;
  const { seen } = await applyCase(bench);
  if (seen.have === null) return fail('nothing was read: the thing is not there');
  const type = world.types.get(named.type);
  const known = new Set(schemaKeys(type?.schema).keys());
  const declare = declarationOf(named.case, seen.have, known);
  const ran = await quietly('declaring what was read', async () =>
    runCase(named, world, { dryRun: false, variant: { declare } }),
  );
  if (!isContent(ran.outcome)) fail(`declaring ${JSON.stringify(declare)} is ${say(ran.outcome)}`);
}

/** The declaration with all that was read in it; what is `null` is not said. */
export function declarationOf(
  { declare, read: { rename, drop, without } }: Pick<Case, 'declare' | 'read'>,
  have: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): Case['declare'] {
  const kept = Object.entries(declare).filter(([name]) => !without.includes(name));
  const read = Object.entries(have)
    .filter(([name, value]) => !drop.includes(name) && value !== null)
    .map(([name, value]) => [rename[name] ?? name, value] as const)
    .filter(([name]) => known.has(name));
  return JSON.parse(JSON.stringify(Object.fromEntries([...kept, ...read])));
}
