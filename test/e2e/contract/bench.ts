import type { Outcome } from '../../../protocol/report.ts';
import type { NamedCase } from './case.ts';
import { isBookkeeping } from './bookkeeping.ts';
import { stamp, writtenSince } from './disk.ts';
import type { Finding } from './finding.ts';
import { shell } from './shell.ts';
import { runCase } from './subject.ts';
import { writesOf } from './traced.ts';
import type { Ran, World } from './subject.ts';

/** What the clauses of one case share. */

export interface Bench {
  readonly named: NamedCase;
  readonly world: World;
  readonly tell: (finding: Finding) => void;
  /** Takes the host back to before the state was brought about, and prepares it anew. */
  readonly again: () => Promise<void>;
}

export function fail(why: string): never {
  throw new Error(why);
}

/** An outcome in one line, for whoever has to find out what went wrong. */
export function say({ status, change, because, error, diff, reaction }: Outcome): string {
  const output = error?.output === undefined ? '' : `\n${error.output}`;
  const told = error === undefined ? (because ?? '') : `${error.code}: ${error.message}${output}`;
  const shown = {
    ...(change === undefined ? {} : { change }),
    ...(diff === undefined ? {} : { diff }),
  };
  const more = Object.keys(shown).length === 0 ? '' : ` ${JSON.stringify(shown)}`;
  return `${status}${told === '' ? '' : ` (${told})`}${more}${reaction === undefined ? '' : ` [${reaction}]`}`;
}

/** The host is as the state wants it: nothing is left to do, or a guard says so. */
export function isContent({ status }: Outcome): boolean {
  return status === 'unchanged' || status === 'skipped';
}

/** Attributes that a change is about; `exists` if it makes or removes the thing itself. */
export function changedAttributes({ change }: Outcome): readonly string[] {
  if (change === undefined) return [];
  return change.action === 'update' ? Object.keys(change.to).toSorted() : ['exists'];
}

/** A run during which nothing may be written. */
export async function quietly(what: string, act: () => Promise<Ran>): Promise<Ran> {
  return watching(what, act, {});
}

/** A dry run; of some cases each call that it makes is watched, so that nothing escapes that is gone again when it ends. */
export async function dryly(what: string, bench: Bench, act: () => Promise<Ran>): Promise<Ran> {
  const { type, case: one } = bench.named;
  if (!(one.watch ?? one.kill === true)) return quietly(what, act);
  let calls: readonly string[] = [];
  const ran = await quietly(what, async () => {
    const [made, writes] = await writesOf(act);
    calls = writes.filter((call) => !isBookkeeping(type, call));
    return made;
  });
  if (calls.length === 0) return ran;
  return fail(`${what} (${say(ran.outcome)}) has made ${calls.slice(0, 12).join('\n')}`);
}

/** The same where it has been shown before, by a quick look. */
export async function quicklyQuietly(what: string, act: () => Promise<Ran>): Promise<Ran> {
  return watching(what, act, { isQuick: true });
}

async function watching(
  what: string,
  act: () => Promise<Ran>,
  how: { readonly isQuick?: boolean },
): Promise<Ran> {
  const since = await stamp('quiet');
  const ran = await act();
  const written = writtenSince(since, how);
  if (written.length === 0) return ran;
  return fail(`${what} (${say(ran.outcome)}) has written ${written.slice(0, 80).join(', ')}`);
}

export function planCase({ named, world }: Bench): Promise<Ran> {
  return runCase(named, world, { dryRun: true });
}

export function applyCase({ named, world }: Bench): Promise<Ran> {
  return runCase(named, world, { dryRun: false });
}

/** A run that changes nothing and writes nothing, and the proof from outside. */
export async function checkSettled(bench: Bench): Promise<void> {
  const { outcome } = await quietly('a second run', async () => applyCase(bench));
  if (!isContent(outcome)) fail(`a second run is ${say(outcome)}`);
  shell('after', bench.named.case.expect.after);
}
