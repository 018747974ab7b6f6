import type { Rollout } from '../jobs/rollout.ts';

/** What is said of a job for later instead of a revision. */
export const TREE_AS_IT_IS = 'the tree as it is when it begins';

/** When a job begins that is for later, and until when it waits for targets that are away; nothing of one that does neither. */
export function laterLines({ startsAt, expiresAt }: Rollout): string[] {
  const begins = startsAt === null ? [] : [`it begins at ${inLocalTime(startsAt)}`];
  if (expiresAt !== null)
    return [...begins, `a target that is away gets it until ${inLocalTime(expiresAt)}`];
  const isMissed = 'a target that is away then is unreachable: --expires would let it wait';
  return begins.length === 0 ? [] : [...begins, isMissed];
}

/** `2026-12-31 22:30:00 (Asia/Jerusalem)`: as the machine shows it where somebody has asked. */
function inLocalTime(time: string): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return `${new Date(time).toLocaleString('sv-SE')} (${timeZone})`;
}
