import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../../shared/errors.ts';
import { checkSettled, fail, say } from './bench.ts';
import type { Bench } from './bench.ts';
import { FEATURES, isRefusal } from './case.ts';
import type { Clause, NamedCase } from './case.ts';
import { checkForeseen, checkReaction, foresee, make } from './check-convergence.ts';
import { checkDisturbances } from './check-disturbances.ts';
import { checkKills } from './check-kills.ts';
import { checkReading } from './check-reading.ts';
import { checkRefusal, checkUnknownArgument } from './check-refusals.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkUndo } from './check-undo.ts';
import type { Effect } from './effects.ts';
import type { Finding, FoundClause } from './finding.ts';
import { LABORATORY, STATE_DIRECTORY } from './places.ts';
import { shell } from './shell.ts';
import { runCase } from './subject.ts';
import type { Ran, World } from './subject.ts';

type Tell = (finding: Finding) => void;

/** Runs one case on this host, clause by clause, and leaves the host as its reset says, whatever happens. */
export async function examine(named: NamedCase, world: World, tell: Tell): Promise<void> {
  const { type, name } = named;
  const begun = performance.now();
  const feature = named.case.requires.find((one) => !has(one));
  if (feature !== undefined) tell({ event: 'lacks', type, name, feature });
  else await examineThere({ named, world, tell, again: async () => again(named, world) });
  tell({ event: 'ended', type, name, milliseconds: Math.round(performance.now() - begun) });
}

/** Asked once a host: some of what is looked for is far away. */
function has(feature: keyof typeof FEATURES): boolean {
  const remembered = `${LABORATORY}/has-${feature}`;
  if (!existsSync(remembered)) {
    const probe = ['-ec', FEATURES[feature]];
    const { status } = spawnSync('/bin/bash', probe, { timeout: 120_000, cwd: '/' });
    writeFileSync(remembered, status === 0 ? 'yes' : 'no');
  }
  return readFileSync(remembered, 'utf8') === 'yes';
}

async function examineThere(bench: Bench): Promise<void> {
  const { named, world } = bench;
  forget();
  try {
    if (named.case.expect.fails !== undefined)
      await judge(bench, 'h', async () => checkUnknownArgument(bench));
    if (isRefusal(named.case)) {
      await judge(bench, 'bad', async () => {
        await prepare(named, world);
        await checkRefusal(bench);
      });
    } else await examineClauses(bench);
  } finally {
    await judgeFailure(bench, 'b', async () => reset(named, world));
    forget();
  }
}

async function examineClauses(bench: Bench): Promise<void> {
  const { named, world } = bench;
  const one = named.case;
  const asked = (clause: Clause): boolean => !(clause in one.not);
  await judge(bench, 'h', async () => checkUnknownArgument(bench));
  const effects: Effect[] = [];
  const isThere = await judgeFailure(bench, 'b', async () => prepare(named, world));
  const made = isThere ? await examineConvergence(bench, effects) : null;
  if (made === null) return;
  if (asked('c')) await judge(bench, 'c', async () => checkSettled(bench));
  if (asked('e') && isReadable(bench, made))
    await judge(bench, 'e', async () => checkReading(bench));
  if (one.react !== undefined) await judgeFailure(bench, 'b', async () => checkReaction(bench));
  await examineAsked(bench, effects);
}

/** What a case has to ask for. */
async function examineAsked(bench: Bench, effects: Effect[]): Promise<void> {
  const { disturb, undo, secret, kill } = bench.named.case;
  if (Object.keys(disturb).length > 0)
    await judge(bench, 'd', async () => checkDisturbances(bench));
  if (undo !== undefined) await judge(bench, 'f', async () => checkUndo(bench));
  if (secret.length > 0) await judge(bench, 'i', async () => checkSecrets(bench));
  if (kill === true) await judge(bench, 'g', async () => checkKills(bench, effects));
}

/** There is nothing to read of what is gone, has no state of its own or only waits. */
function isReadable({ named, world }: Bench, { seen }: Ran): boolean {
  const type = world.types.get(named.type);
  return type?.oneShot !== true && type?.awaits !== true && seen.want !== null;
}

/** (a) and (b); `null` if the host is not now as the case wants it. */
async function examineConvergence(bench: Bench, effects: Effect[]): Promise<Ran | null> {
  const { named, tell } = bench;
  const planned = await attempt(async () => foresee(bench));
  const made = await attempt(async () => make(bench, effects));
  await judge(bench, 'b', async () => void resultOf(made));
  if (!('a' in named.case.not)) {
    await judge(bench, 'a', async () => {
      const foreseen = resultOf(planned);
      if (made.result !== null) checkForeseen(named, foreseen, made.result);
    });
  }
  if (made.result !== null) tellWants(named, made.result, tell);
  return made.result;
}

function tellWants({ type, name, case: one }: NamedCase, { seen, outcome }: Ran, tell: Tell): void {
  const isChange = outcome.status === 'changed';
  const attributes = Object.keys(seen.want ?? {}).toSorted();
  const isAbsence = seen.want === null;
  const wants = attributes.length === 0 ? ['exists'] : attributes;
  const disturbed = Object.keys(one.disturb);
  const excused = Object.keys(one.undisturbed);
  tell({ event: 'wants', type, name, attributes: wants, disturbed, excused, isAbsence, isChange });
}

interface Attempt {
  readonly result: Ran | null;
  readonly why: string;
}

async function attempt(act: () => Promise<Ran>): Promise<Attempt> {
  try {
    return { result: await act(), why: '' };
  } catch (error) {
    return { result: null, why: messageOf(error) };
  }
}

function resultOf({ result, why }: Attempt): Ran {
  return result ?? fail(why);
}

/** Says that a clause holds, or why it does not. */
async function judge(bench: Bench, clause: FoundClause, act: () => Promise<void>): Promise<void> {
  const { type, name } = bench.named;
  bench.tell({ event: 'clause', type, name, clause, why: await complaint(act) });
}

/** Says only that something went wrong. */
async function judgeFailure(
  bench: Bench,
  clause: FoundClause,
  act: () => Promise<void>,
): Promise<boolean> {
  const { type, name } = bench.named;
  const why = await complaint(act);
  if (why !== null) bench.tell({ event: 'clause', type, name, clause, why });
  return why === null;
}

async function complaint(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    return messageOf(error) === '' ? 'something without a message' : messageOf(error);
  }
}

/** What the minion remembers of other cases is not to help or harm this one. */
function forget(): void {
  rmSync(STATE_DIRECTORY, { recursive: true, force: true });
}

async function again(named: NamedCase, world: World): Promise<void> {
  await reset(named, world);
  forget();
  await prepare(named, world);
}

/** Whatever the case needs is there. */
async function prepare(named: NamedCase, world: World): Promise<void> {
  const { given, with: before, expect } = named.case;
  shell('given', given);
  // What is not known yet is so because the states before it have not been brought about.
  if (before === undefined || expect.plan === 'unknown') return;
  const variant = { part: 'with' } as const;
  const { outcomes } = await runCase(named, world, { dryRun: false, variant });
  const broken = outcomes.find(({ status }) => status === 'failed');
  if (broken !== undefined) fail(`"with": ${broken.id} is ${say(broken)}`);
}

async function reset(named: NamedCase, world: World): Promise<void> {
  const { reset: script, undo } = named.case;
  if (script !== undefined || undo === undefined) return shell('reset', script);
  const variant = { type: undo.type, declare: undo.declare, part: 'alone' } as const;
  const { outcome } = await runCase(named, world, { dryRun: false, variant });
  if (outcome.status === 'failed') fail(`the undoing, as reset, is ${say(outcome)}`);
}
