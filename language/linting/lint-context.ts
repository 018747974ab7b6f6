import type { Problems } from '../problem.ts';
import type { Workshop } from '../expressions/scope.ts';
import type { StateSchemas } from '../state-schema.ts';
import type { Tree } from '../tree.ts';

/** What the checks of one tree share. */
export interface Lint {
  readonly tree: Tree;
  readonly states: StateSchemas;
  /** Not all state types could be loaded: one of an unknown module may be right. */
  readonly isPartial: boolean;
  readonly workshop: Workshop;
  readonly problems: Problems;
  readonly known: ReadonlyMap<string, readonly string[]>;
  /** The arguments of each type that has been met. */
  readonly keysByType: Map<string, ReadonlySet<string>>;
  /** Some file makes a state run by what another does to it: `onchanges_in` and such. */
  readonly guardsElsewhere: boolean;
  /** Some file gives arguments to the states of others: `use_in`. */
  readonly argumentsElsewhere: boolean;
}
