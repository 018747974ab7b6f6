import type { z } from 'zod';
import type {
  Gathered,
  Permits,
  Rewriting,
  Settled,
  Surroundings,
} from '../shared/surroundings.ts';

/** The half of a state type that a compiler needs; the whole is `minion/engine/state-type.ts`. */
export interface StateSchema {
  readonly name: `${string}.${string}`;
  readonly schema: z.ZodType;
  /** A short example in YAML, for the manual. */
  readonly example?: string;
  readonly treeFiles?: readonly string[];
  /** Those that list files. */
  readonly treeFileLists?: readonly string[];
  readonly treeDirectories?: readonly string[];
  readonly pillarPaths?: readonly string[];
  readonly modeArgument?: string;
  readonly publishes?: string;
  readonly needsGuard?: true;
  goesUnguarded?(args: unknown): boolean;
  provides?(args: unknown): readonly string[];
  settles?(args: unknown): Settled;
  writes?(args: unknown): readonly string[];
  permits?(args: unknown): Permits | null;
  rewrites?(args: unknown): Rewriting | null;
  needs?(args: unknown): readonly string[];
  publishesAt?(args: unknown, path: readonly string[]): string | null;
  secretsIn?(args: unknown): readonly string[];
  gathers?(args: unknown): Gathered;
  knowing?(args: unknown, surroundings: Surroundings): unknown;
}

/** By name. */
export type StateSchemas = ReadonlyMap<string, StateSchema>;
