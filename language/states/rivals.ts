import { MEANWHILE } from '../../shared/surroundings.ts';
import type { Requisite } from '../declaration.ts';
import type { Problems } from '../problem.ts';
import type { StateSchemas } from '../state-schema.ts';
import { CONDITIONS, type Checked } from './declare.ts';
import type { Draft } from './draft.ts';

export interface Together {
  readonly states: StateSchemas;
  readonly requisites: ReadonlyMap<string, readonly Requisite[]>;
  readonly problems: Problems;
}

/** What one state decides of one thing. */
interface Claim {
  readonly one: Checked;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Reports states that would undo each other at every run: they decide one thing, each otherwise. Gives those at which it
 * has been told.
 */
export function refuseRivals(
  checked: readonly Checked[],
  together: Together,
): ReadonlySet<Checked> {
  const claims = new Map<string, Claim[]>();
  const told = new Set<Checked>();
  for (const one of checked) {
    const settled = together.states.get(one.draft.type)?.settles?.(one.args);
    if (settled === undefined || isConditional(one, together)) continue;
    for (const [resource, attributes] of Object.entries(settled)) {
      const earlier = claims.get(resource) ?? [];
      if (!told.has(one) && reportRival(resource, { one, attributes }, earlier, together))
        told.add(one);
      claims.set(resource, [...earlier, { one, attributes }]);
    }
  }
  return told;
}

/** What is done only sometimes may be an alternative. */
export function isConditional({ key, guards }: Checked, { requisites }: Together): boolean {
  const { unless, onlyif, creates } = guards;
  if (unless.length + onlyif.length + creates.length > 0) return true;
  return requisites.get(key)?.some(({ kind }) => CONDITIONS.has(kind)) === true;
}

function reportRival(
  resource: string,
  claim: Claim,
  earlier: readonly Claim[],
  together: Together,
): boolean {
  const { one } = claim;
  for (const other of earlier) {
    const contested = contestedBetween(claim, other, together);
    if (contested.length === 0 || isOneId(one.draft, other.one.draft)) continue;
    const why = disagreement(contested, shown(resource));
    tellRivals(one.draft, other.one.draft, why, together.problems);
    return true;
  }
  return false;
}

/** Tells it at the later of two states, with the place of the earlier one. */
export function tellRivals(
  { type, id, place, scope }: Draft,
  rival: Draft,
  why: string,
  problems: Problems,
): void {
  const message = `${type} "${id}" and ${rival.type} "${rival.id}" undo each other at every run: ${why}`;
  problems.add(place, message, {
    help: 'leave it to one of them, or say with unless, onlyif, creates or onchanges when each is meant',
    chain: [{ words: `"${rival.id}" is declared in`, place: rival.place }, ...scope.chain],
  });
}

function contestedBetween(
  { one, attributes }: Claim,
  { one: before, attributes: others }: Claim,
  { requisites }: Together,
): readonly string[] {
  const isTurned = requisites.get(before.key)?.some(({ targets }) => targets.includes(one.key));
  return Object.keys(attributes).filter((name) => {
    const [own, other] = [attributes[name], others[name]];
    if (own === undefined || other === undefined || own === other) return false;
    return !isMeanwhile(isTurned === true ? own : other);
  });
}

/** A service is stopped for what has to be done while it is down, and started again behind that. */
function isMeanwhile(decided: string): boolean {
  return decided.startsWith(MEANWHILE);
}

/** Of a thing that only one of them wants, nothing else matters. */
function disagreement(contested: readonly string[], thing: string): string {
  if (contested.includes('existence')) return `one wants ${thing}, and the other wants it gone`;
  return `each wants another ${contested.join(' and ')} of ${thing}`;
}

/** Two states of a module under one ID have been told. */
export function isOneId(one: Draft, rival: Draft): boolean {
  return (
    one.id === rival.id &&
    one.idScope === rival.idScope &&
    one.type.split('.')[0] === rival.type.split('.')[0]
  );
}

/** `path:/etc/motd` is told as "/etc/motd", `user:robot` as user "robot". */
function shown(resource: string): string {
  const [kind = '', ...rest] = resource.split(':');
  const name = `"${rest.join(':')}"`;
  return kind === 'path' ? name : `${kind} ${name}`;
}
