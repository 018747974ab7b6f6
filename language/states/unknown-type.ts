import { moduleOf } from './arguments.ts';
import type { Draft } from './draft.ts';
import { insteadOf } from './instead.ts';
import type { Using } from './sources.ts';
import type { StateSchemas } from '../state-schema.ts';
import { hint } from '../values/hint.ts';

const NO_SUCH_MODULE =
  'master docs lists all types; where none fits, write cmd.run with a guard, or a type of the tree';

/** Tells that there is no such state type, and what may have been meant or is written instead. */
export function unknownType(
  { type, place, scope }: Pick<Draft, 'type' | 'place' | 'scope'>,
  { states, workshop }: Pick<Using, 'workshop'> & { readonly states: StateSchemas },
): null {
  const module = moduleOf(type);
  const verbs = [...states.keys()].filter((name) => moduleOf(name) === module);
  const others = verbs.length === 0 ? null : `"${module}" has ${verbs.join(', ')}`;
  workshop.problems.add(place, `unknown state type "${type}"`, {
    help: insteadOf(type) ?? hint(type, states.keys(), others ?? NO_SUCH_MODULE),
    chain: scope.chain,
  });
  return null;
}
