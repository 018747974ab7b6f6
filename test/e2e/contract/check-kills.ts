import { applyCase, fail, say } from './bench.ts';
import type { Bench } from './bench.ts';
import type { Death, Effect } from './effects.ts';
import { startRound } from './round.ts';
import { shell } from './shell.ts';

/** Clause (g): killed before or during any effect, the next run converges. */

const MOST_EFFECTS = 24;
const LONG: ReadonlySet<string> = new Set(['run', 'writeFiles']);

export async function checkKills(bench: Bench, effects: readonly Effect[]): Promise<void> {
  if (effects.length === 0) fail('it has no effect on the host to be killed in');
  for (const death of deathsIn(effects)) {
    await bench.again();
    const round = startRound(bench.named, death);
    try {
      await checkSurvival(bench);
    } catch (error) {
      const effect = effects[death.effect - 1];
      const when = death.afterMs === null ? 'before' : `${death.afterMs} ms into`;
      const how = round.hasDied ? `killed ${when}` : `not killed ${when}`;
      const why = error instanceof Error ? error.message : String(error);
      fail(`${how} effect ${death.effect} (${effect?.kind} ${effect?.what}): ${why}`);
    }
  }
}

/** Whatever was left, the next run brings the state about, and the one after has nothing to do. */
async function checkSurvival(bench: Bench): Promise<void> {
  const next = await applyCase(bench);
  if (!['changed', 'unchanged', 'skipped'].includes(next.outcome.status))
    fail(`the next run is ${say(next.outcome)}`);
  shell('after', bench.named.case.expect.after);
  if ('c' in bench.named.case.not) return;
  const { outcome } = await applyCase(bench);
  if (outcome.status !== 'unchanged' && outcome.status !== 'skipped')
    fail(`the run after the next is ${say(outcome)}`);
}

/**
 * Before each effect, and in the middle of each that takes a while (commands, many files) and of the last. What takes no time is
 * whole or not there at all, so dying in it is dying before it or before the next. Of very many, a part from everywhere.
 */
export function deathsIn(effects: readonly Effect[]): readonly Death[] {
  const step = Math.max(1, effects.length / MOST_EFFECTS);
  const chosen = new Set<number>([effects.length]);
  for (let at = 1; at <= effects.length; at += step) chosen.add(Math.floor(at));
  return [...chosen]
    .toSorted((a, b) => a - b)
    .flatMap((effect) => {
      const { kind = '', milliseconds = 0 } = effects[effect - 1] ?? {};
      const before = { effect, afterMs: null };
      const isLong = LONG.has(kind) || effect === effects.length;
      return isLong
        ? [before, { effect, afterMs: Math.max(1, Math.round(milliseconds / 2)) }]
        : [before];
    });
}
