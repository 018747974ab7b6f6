import { openSite } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { randomFrom } from './random.ts';
import type { Random } from './random.ts';

/** One kind of fault, and what must not be lost by it. */
export interface Fault {
  /** What happens, in words for the table. */
  readonly name: string;
  /** How often it is done when nobody asks for a number; `null` if it has no rounds of its own. */
  readonly rounds: number | null;
  /** Whether it is short enough for `npm test`. */
  readonly isFast: boolean;
  /** Into how many parts its rounds are divided, each on hosts of its own, where all of them in a row take too long. */
  readonly parts?: number;
  /** How long all of it takes on a machine that has time for it. */
  readonly usualMinutes: number;
  /** Whether it mostly waits, or measures what others must not disturb; it keeps a processor busy if absent. */
  readonly load?: 'idle' | 'measures';
  /** Does it so many times; what was lost, in words: nothing, if all is well. */
  run(setting: FaultSetting): Promise<readonly string[]>;
}

export interface FaultSetting {
  readonly site: Site;
  readonly rounds: number;
  /** The longest that anything is to last: a cut of the network, a process that stands still. */
  readonly minutes: number;
  readonly random: Random;
  readonly log: (line: string) => void;
  /** Called by those that find out by themselves how many rounds there are. */
  readonly haveRounds?: (rounds: number) => void;
}

/** A fault that is to be done, so often, with these moments. */
export interface Task {
  readonly fault: Fault;
  readonly name: string;
  readonly rounds: number;
  /** How long it is expected to take. */
  readonly minutes: number;
  readonly seed: number;
}

export interface FaultResult {
  readonly name: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly seed: number;
  readonly lost: readonly string[];
}

/** On hosts that are there for it alone. */
export async function inflictOnOwnSite(
  task: Task,
  { minutes, log }: Pick<FaultSetting, 'minutes' | 'log'>,
): Promise<FaultResult> {
  return judged(task, async (haveRounds) => {
    const { rounds, seed, fault } = task;
    const site = await openSite(log);
    try {
      return await fault.run({ site, rounds, minutes, random: randomFrom(seed), log, haveRounds });
    } finally {
      await site.fleet.close();
    }
  });
}

export async function inflict(
  fault: Fault,
  setting: FaultSetting & { readonly seed: number },
): Promise<FaultResult> {
  return judged({ ...setting, name: fault.name }, async () => fault.run(setting));
}

/** A fault of which nobody can say what it has cost has cost something. */
async function judged(
  task: Pick<Task, 'name' | 'rounds' | 'seed'>,
  run: (haveRounds: (rounds: number) => void) => Promise<readonly string[]>,
): Promise<FaultResult> {
  const { name, seed } = task;
  const begun = Date.now();
  const lost: string[] = [];
  let { rounds } = task;
  try {
    const own = await run((count) => {
      rounds = count;
    });
    lost.push(...own);
  } catch (error) {
    lost.push(`could not be judged: ${error instanceof Error ? error.message : String(error)}`);
  }
  const seconds = Math.round((Date.now() - begun) / 1000);
  return { name, rounds, seconds, seed, lost };
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
