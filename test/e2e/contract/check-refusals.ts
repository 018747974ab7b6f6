import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { schemaKeys } from '../../../language/states/schema-keys.ts';
import { COMMON_WORDS } from '../../../language/states/words.ts';
import type { Outcome } from '../../../protocol/report.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Case } from './case.ts';
import { applyCase, dryly, fail, planCase, say } from './bench.ts';
import type { Bench } from './bench.ts';
import { differing, snapshot } from './disk.ts';
import { STATE_DIRECTORY } from './places.ts';
import { shell } from './shell.ts';
import { compileCase } from './subject.ts';

/** Bad input is told, and leaves the host as it was; clause (h) is one sort of it. */

export async function checkRefusal(bench: Bench): Promise<void> {
  const { expect } = bench.named.case;
  if (expect.refused !== undefined) {
    const message = refusalOf(bench, bench.named.case.declare);
    if (message === null) fail('it compiles');
    else if (!message.includes(expect.refused)) fail(`it is refused by other words: ${message}`);
    return;
  }
  await checkFailure(bench);
}

async function checkFailure(bench: Bench): Promise<void> {
  const { fails, after } = bench.named.case.expect;
  const before = snapshot();
  const kept = contents(fails?.puts_back ?? []);
  const planned = await dryly('the dry run', bench, async () => planCase(bench));
  const { outcome } = await applyCase(bench);
  if (outcome.status !== 'failed') fail(`it is ${say(outcome)}`);
  checkWords(outcome, fails);
  checkForeseen(planned.outcome, outcome, fails?.unforeseen);
  const changed = [...differing(before, snapshot())].filter((path) => !isPutBack(path, kept));
  if (changed.length > 0) fail(`the failure has changed ${changed.slice(0, 12).join(', ')}`);
  shell('after', after);
}

/** A plan says it in the same words, unless the case says why it cannot. */
function checkForeseen(planned: Outcome, made: Outcome, unforeseen: string | undefined): void {
  const isForeseen = planned.error?.message === made.error?.message;
  if (isForeseen === (unforeseen === undefined)) return;
  const told = `it is ${say(made)}, and foreseen is ${say(planned)}`;
  fail(isForeseen ? `"unforeseen" is not true any more: ${told}` : told);
}

function contents(paths: readonly string[]): ReadonlyMap<string, Buffer> {
  return new Map(paths.map((path) => [path, contentOf(path)]));
}

/** Of a symbolic link, where it leads. */
function contentOf(path: string): Buffer {
  return lstatSync(path).isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
}

/** Only its time is another; or it is what the minion remembers of its own attempts. */
function isPutBack(path: string, kept: ReadonlyMap<string, Buffer>): boolean {
  if (STATE_DIRECTORY.startsWith(path) || path.startsWith(STATE_DIRECTORY)) return true;
  return kept.get(path)?.equals(contentOf(path)) === true;
}

function checkWords(outcome: Outcome, fails: Case['expect']['fails']): void {
  const { code, message } = outcome.error ?? { code: '', message: '' };
  if (code === 'BUG') fail(message);
  if (fails?.code !== undefined && code !== fails.code) fail(`it fails otherwise: ${say(outcome)}`);
  if (!message.includes(fails?.message ?? '')) fail(`it fails by other words: ${say(outcome)}`);
}

/** Drops a letter of an argument: the compiler has to say where, and what was meant. */
export function checkUnknownArgument(bench: Bench): void {
  const { named, world } = bench;
  const known = [...schemaKeys(world.types.get(named.type)?.schema).keys()];
  const [meant, mistyped] = mistypedAmong(known) ?? fail('no argument can be mistyped');
  const message = refusalOf(bench, { ...named.case.declare, [mistyped]: 'x' });
  if (message === null) return fail(`"${mistyped}" is not refused`);
  const isTold =
    /states\/case\.yaml:\d+:\d+/u.test(message) &&
    message.includes(`unknown argument "${mistyped}"`) &&
    message.includes(`did you mean "${meant}"`);
  if (!isTold) fail(`"${mistyped}" for "${meant}" is refused by other words: ${message}`);
}

/** The longest argument that is no other word of the language once it lacks a letter. */
export function mistypedAmong(known: readonly string[]): readonly [string, string] | null {
  const words = new Set([...known, ...COMMON_WORDS]);
  for (const meant of known.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1))) {
    for (let at = Math.max(1, Math.floor(meant.length / 2)); at < meant.length; at += 1) {
      const mistyped = meant.slice(0, at) + meant.slice(at + 1);
      if (!words.has(mistyped)) return [meant, mistyped];
    }
  }
  return null;
}

function refusalOf({ named, world }: Bench, declare: Case['declare']): string | null {
  try {
    compileCase(named, world, { declare });
    return null;
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'TREE_INVALID') return error.message;
    throw error;
  }
}
