import type { Site } from '../e2e/installed-hosts.ts';
import type { Random } from './random.ts';

/** One kind of fault, and what must not be lost by it. */
export interface Fault {
  /** What happens, in words for the table. */
  readonly name: string;
  /** How often it is done when nobody asks for a number; `null` if it has no rounds of its own. */
  readonly rounds: number | null;
  /** Whether it is short enough for `npm test`. */
  readonly isFast: boolean;
  /** Does it so many times; what was lost, in words: nothing, if all is well. */
  run(setting: FaultSetting): Promise<readonly string[]>;
}

export interface FaultSetting {
  readonly site: Site;
  readonly rounds: number;
  /** How long what lasts is to last. */
  readonly minutes: number;
  readonly random: Random;
  readonly log: (line: string) => void;
}

export interface FaultResult {
  readonly name: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly seed: number;
  readonly lost: readonly string[];
}

/** A fault of which nobody can say what it has cost has cost something. */
export async function inflict(
  fault: Fault,
  setting: FaultSetting & { readonly seed: number },
): Promise<FaultResult> {
  const { rounds, seed } = setting;
  const begun = Date.now();
  const lost: string[] = [];
  try {
    lost.push(...(await fault.run(setting)));
  } catch (error) {
    lost.push(`could not be judged: ${error instanceof Error ? error.message : String(error)}`);
  }
  const seconds = Math.round((Date.now() - begun) / 1000);
  return { name: fault.name, rounds, seconds, seed, lost };
}

/** The table that a run of faults ends with. */
export function renderResults(results: readonly FaultResult[]): string {
  const rows = results.map(({ name, rounds, seconds, seed, lost }) => [
    name,
    String(rounds),
    `${seconds} s`,
    String(seed),
    lost.length === 0 ? 'nothing' : `${lost.length}: ${lost[0] ?? ''}`,
  ]);
  const all = [['fault', 'rounds', 'took', 'seed', 'lost'], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
