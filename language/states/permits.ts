import type { Permits } from '../../shared/surroundings.ts';
import { SECRET } from '../../shared/surroundings.ts';
import type { Checked } from './declare.ts';
import { isConditional } from './rivals.ts';
import { settledOf } from './settled.ts';
import type { Together } from './rivals.ts';

/** What a state decides of who may read and write a path. */
interface Closure {
  readonly one: Checked;
  readonly path: string;
  readonly mode: string | undefined;
  readonly isSecret: boolean;
}

/** Reports permissions that another state takes away at every run, and those by which everybody could read a secret. */
export function refusePermits(checked: readonly Checked[], together: Together): void {
  const { states } = together;
  const giving = checked.flatMap((one) => {
    const permits = states.get(one.draft.type)?.permits?.(one.args) ?? null;
    const isSometimes = isConditional(one, together);
    return permits === null ? [] : [{ one, permits, isSometimes }];
  });
  if (giving.length === 0) return;
  const closures = checked.flatMap((one) => closuresOf(one, together));
  for (const { one, permits, isSometimes } of giving) {
    const taken = closures.find((closure) => takes(closure, permits, isSometimes));
    if (taken !== undefined) report(one, permits, { taken, together });
  }
}

function closuresOf(one: Checked, together: Together): readonly Closure[] {
  const settled = settledOf(one, together.states);
  const isSometimes = isConditional(one, together);
  return Object.entries(settled).flatMap(([resource, { mode, [SECRET]: secret }]) => {
    const isSecret = secret !== undefined;
    if (!resource.startsWith('path:') || (!isSecret && (mode === undefined || isSometimes)))
      return [];
    return [{ one, path: resource.slice('path:'.length), mode, isSecret }];
  });
}

function takes(closure: Closure, permits: Permits, isSometimes: boolean): boolean {
  const { path, isBelow } = permits;
  if (closure.path !== path && !(isBelow && closure.path.startsWith(`${path}/`))) return false;
  return isOpened(closure, permits) || (!isSometimes && isContested(closure, permits));
}

function isOpened({ isSecret }: Closure, { whose, perms }: Permits): boolean {
  return isSecret && whose === 'others' && perms.startsWith('r');
}

const DIGIT = { owner: -3, group: -2, others: -1 } as const;

function isContested({ mode }: Closure, { whose, perms, isExact }: Permits): boolean {
  if (mode === undefined) return false;
  const digit = Number(mode.at(DIGIT[whose]));
  const asked = bitsOf(perms);
  // Whether X is x, the host knows.
  const known = perms.endsWith('X') ? 6 : 7;
  return (digit & asked) !== asked || (isExact && (digit & known) !== asked);
}

function bitsOf(perms: string): number {
  return ['r', 'w', 'x'].reduce(
    (bits, letter, at) => bits + (perms.includes(letter) ? 4 >> at : 0),
    0,
  );
}

interface Taken {
  readonly taken: Closure;
  readonly together: Together;
}

function report(
  { draft: { type, id, place, scope } }: Checked,
  permits: Permits,
  { taken, together }: Taken,
): void {
  const { draft } = taken.one;
  const chain = [{ words: `"${draft.id}" is declared in`, place: draft.place }, ...scope.chain];
  const [message, help] = isOpened(taken, permits)
    ? [
        `${type} "${id}" lets everybody read "${taken.path}", into which ${draft.type} "${draft.id}" puts a secret`,
        'give it to the user or group that needs it',
      ]
    : [
        `${type} "${id}" and ${draft.type} "${draft.id}" undo each other at every run: the entry ${permits.entry} is to give ${permits.perms} at "${taken.path}", and the mode ${taken.mode ?? ''} takes it away`,
        'write one mode that fits both: with an access list, its middle digit bounds what users and groups get',
      ];
  together.problems.add(place, message, { help, chain });
}
