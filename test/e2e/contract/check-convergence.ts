import { isDeepStrictEqual } from 'node:util';
import type { Case, NamedCase } from './case.ts';
import { applyCase, dryly, fail, planCase, say } from './bench.ts';
import type { Bench } from './bench.ts';
import { throughEffects } from './effects.ts';
import type { Effect } from './effects.ts';
import { shell } from './shell.ts';
import { runCase } from './subject.ts';
import type { Ran } from './subject.ts';

/** Clauses (a) and (b): what is foreseen, and what is made. */

export async function foresee(bench: Bench): Promise<Ran> {
  const planned = await dryly('the dry run', bench, async () => planCase(bench));
  const { plan, because } = bench.named.case.expect;
  const { outcome } = planned;
  if (outcome.status !== plan) fail(`foresaw ${say(outcome)}, not ${plan}`);
  if (because !== undefined && outcome.because?.includes(because) !== true)
    fail(`foresaw ${say(outcome)}, not because of ${JSON.stringify(because)}`);
  return planned;
}

/** Brings the case about, notes what that did to the host, and looks at it from outside. */
export async function make(bench: Bench, effects: Effect[]): Promise<Ran> {
  const { named, world } = bench;
  const through = throughEffects(effects, null);
  const made = await runCase(named, world, { dryRun: false, through });
  const others = made.outcomes.filter(({ status }) => status === 'failed');
  if (others.length > 0) fail(others.map(say).join('; '));
  checkMade(named, made);
  shell('after', named.case.expect.after);
  return made;
}

function checkMade({ case: { expect } }: NamedCase, { outcome, seen }: Ran): void {
  const statuses: readonly string[] = EXPECTED[expect.plan];
  if (!statuses.includes(outcome.status))
    fail(`the run is ${say(outcome)}, not ${statuses.join(' or ')}`);
  if (expect.change === undefined) return;
  const made: unknown = seen.change ?? outcome.change;
  if (isPart(expect.change, made)) return;
  fail(`the change is ${JSON.stringify(made)}, not ${JSON.stringify(expect.change)}`);
}

/** What has waited has changed nothing. */
const EXPECTED: Readonly<Record<Case['expect']['plan'], readonly string[]>> = {
  'would-change': ['changed'],
  unchanged: ['unchanged'],
  skipped: ['skipped'],
  unknown: ['changed', 'unchanged'],
};

/** Whether all that is expected is there; lists are compared whole. */
export function isPart(expected: unknown, found: unknown): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected))
    return isDeepStrictEqual(expected, found);
  if (typeof found !== 'object' || found === null) return false;
  const values = new Map<string, unknown>(Object.entries(found));
  return Object.entries(expected).every(([name, value]) => isPart(value, values.get(name)));
}

/** What was made is what was foreseen, as both were reported. */
export function checkForeseen({ case: { expect } }: NamedCase, planned: Ran, made: Ran): void {
  if (expect.plan === 'unknown') return;
  const [before, after] = [planned.outcome, made.outcome];
  const same = isDeepStrictEqual([before.change, before.diff], [after.change, after.diff]);
  if (!same) fail(`foresaw ${say(before)}\nand made ${say(after)}`);
}

/** What a watched change makes it do. */
export async function checkReaction(bench: Bench): Promise<void> {
  const { named, world } = bench;
  const { react } = named.case;
  if (react === undefined) return;
  shell('react.before', react.before);
  const variant = { isTriggered: true };
  const planned = await dryly('the dry run of a reaction', bench, async () =>
    runCase(named, world, { dryRun: true, variant }),
  );
  if (planned.outcome.reaction === undefined)
    fail(`foresaw no reaction but ${say(planned.outcome)}`);
  const { outcome } = await runCase(named, world, { dryRun: false, variant });
  if (outcome.reaction?.includes(react.says) !== true) fail(`the reaction is ${say(outcome)}`);
  shell('react.after', react.after);
  const settled = await applyCase(bench);
  if (settled.outcome.status === 'changed')
    fail(`after the reaction a run is ${say(settled.outcome)}`);
}
