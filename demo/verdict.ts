import type { Counts } from './jobs.ts';

/** What the tour saw. */
export interface Results {
  readonly first: Counts;
  readonly second: Counts;
  /** States that a dry run on the converged host would change. */
  readonly foreseenWhenConverged: number;
  readonly driftsMade: number;
  readonly driftsRepaired: number;
  /** Drifted states that the dry run did not foresee. */
  readonly unforeseen: readonly string[];
  readonly eknights: number;
  readonly python: 'pypi' | 'debian';
}

/** The numbers for programs, and whatever is not as it should be in words. */
export function verdict(results: Results, seconds: Readonly<Record<string, number>>) {
  const { first, second, driftsMade, driftsRepaired, eknights, unforeseen } = results;
  const claims: readonly (readonly [holds: boolean, otherwise: string])[] = [
    [first.changed > 0 && first.failed === 0, `the first apply: ${first.failed} states failed`],
    [second.changed === 0, `the second apply changed ${second.changed} states`],
    [
      results.foreseenWhenConverged === 0,
      `a dry run on the converged host would change ${results.foreseenWhenConverged} states`,
    ],
    [unforeseen.length === 0, `the dry run did not foresee: ${unforeseen.join(', ')}`],
    [driftsMade === 8, `${driftsMade} of 8 things were broken`],
    [driftsRepaired === driftsMade, `${driftsRepaired} of ${driftsMade} drifts were repaired`],
    [eknights === 2, `${eknights} of 2 eKnights answer over HTTP`],
  ];
  return {
    mistakes: claims.filter(([holds]) => !holds).map(([, otherwise]) => otherwise),
    summary: {
      states: first.total,
      changedFirst: first.changed,
      changedSecond: second.changed,
      driftsMade,
      driftsRepaired,
      eknights,
      python: results.python,
      seconds,
    },
  };
}
