import type { z } from 'zod';
import type { Attributes, Change } from '../../shared/change.ts';
import type {
  Gathered,
  Permits,
  Rewriting,
  Settled,
  Surroundings,
} from '../../shared/surroundings.ts';
import type { Host, HostView } from '../host/host.ts';

/**
 * One kind of state a tree can declare, e.g. `user.present`.
 *
 * A state type knows how a thing is, how it should be, and how to carry out one change.
 * It decides nothing: the engine compares, reports, and calls `apply` only if something
 * differs and this is no dry run. Then it reads again, and a difference that is left is
 * a failure.
 */
export interface StateType<Args = unknown, State extends Attributes = Attributes> {
  /** The name in state trees: `<thing>.<verb>`. */
  readonly name: `${string}.${string}`;

  /**
   * Checks and canonicalizes the arguments. Pure. Its description is the manual's paragraph and
   * those of its fields explain the arguments; `.meta({ secret: true })` on a field keeps its value,
   * and the attribute of the same name, out of plans, reports and logs; `.meta({ isExposed: true })`
   * refuses secrets in it, because it reaches the arguments or the environment of a process.
   */
  readonly schema: z.ZodType<Args>;

  /** A short example in YAML, for the manual; it is compiled by a test. */
  readonly example: string;

  /** Arguments that may hold a path below `templates/`; they reach the type as a `TreeFile`. */
  readonly treeFiles?: readonly string[];

  /** Arguments that list such paths, each of which reaches the type as a `TreeFile`. */
  readonly treeFileLists?: readonly string[];

  /** Arguments that hold a directory below `templates/`; they reach the type as a `TreeDirectory`. */
  readonly treeDirectories?: readonly string[];

  /** Arguments that name values of the pillar (`certificates:shop:key`); they reach the type as these. */
  readonly pillarPaths?: readonly string[];

  /**
   * The argument that says the permissions of the file that it writes: one by which everybody could read a secret of the
   * pillar is a mistake in the tree. What to do without it, `knowing` is told.
   */
  readonly modeArgument?: string;

  /** Why everybody can read what it writes, so that a secret in it is a mistake in the tree. */
  readonly publishes?: string;

  /** It acts without a wanted state of its own, so the tree must give a guard or `always: true`. */
  readonly needsGuard?: true;

  /** Its effect cannot be read back: after `apply` the engine does not read again. */
  readonly oneShot?: true;

  /**
   * It brings nothing about: `apply` waits for what others do. To have waited is no change, and a
   * dry run cannot know how the wait would end.
   */
  readonly awaits?: true;

  /**
   * How it should be follows from what other states bring about (the migrations of a checkout): while
   * those would change, a dry run cannot know that nothing is to do.
   */
  readonly isDerived?: true;

  /**
   * What it wants depends on how the thing is (an edit of a text, packages in any version), so that it wants something
   * else than before does not mean that anybody asked for it.
   */
  readonly isRelative?: true;

  /** The attribute whose differences are shown as text, line by line (`content`). */
  readonly textAttribute?: string;

  /** Attributes that are digests of what is not to be shown: reports have marks of them, which tell nothing. */
  readonly digests?: readonly string[];

  /**
   * What it may bring about beyond what it provides, so that a later state may come by what it lacks: it runs `programs` of
   * others (maintainer scripts, say), which bring things but clear nothing out of the way; or it does `anything`, as
   * what is `oneShot` does unless it says otherwise.
   */
  readonly reach?: 'nothing' | 'programs' | 'anything';

  /** What it brings about, as resource names: `user:NAME`, `path:/abs`, `package:NAME`, … */
  provides?(args: Args): readonly string[];

  /**
   * Where the one file stands that it manages, if that is not the first that it provides: a report of drift says when it
   * was touched, and its content is kept.
   */
  path?(args: Args): string;

  /** What it takes away, as resource names: what later states find gone once it has changed. */
  takes?(args: Args): readonly string[];

  /** Paths that it takes away beyond that, as the host is: what stands in a directory and does not belong there. */
  clears?(args: Args, host: HostView): Promise<readonly string[]>;

  /**
   * What it decides at every run of the things that it is about. Two states that decide one attribute of one thing
   * otherwise would undo each other for ever, which is a mistake in the tree unless a guard says when one of them is meant.
   */
  settles?(args: Args): Settled;

  /** Files that hold what its arguments say: if that is a secret, no other state opens them to all. */
  writes?(args: Args): readonly string[];

  /** The permissions that it gives beside the mode of a file, which must leave room for them. */
  permits?(args: Args): Permits | null;

  /**
   * What it makes of the text of a file, where its arguments alone say that; `null` if they do not. Two states that would
   * change what the other has made at every run are a mistake in the tree, too.
   */
  rewrites?(args: Args): Rewriting | null;

  /** What must be there before it, if the tree declares it: the implied requisites. */
  needs?(args: Args): readonly string[];

  /** Why everybody could read a secret at this path of its arguments, where `publishes` does not hold for all of them. */
  publishesAt?(args: Args, path: readonly string[]): string | null;

  /** Texts within its arguments that are shown nowhere, such as a password in an address. */
  secretsIn?(args: Args): readonly string[];

  /** Texts for a file of others, known before any template is rendered. */
  gathers?(args: Args): Gathered;

  /** Its arguments with what it must know of all other declarations. */
  knowing?(args: Args, surroundings: Surroundings): Args;

  /**
   * How the thing is now; `null` if it does not exist. Changes nothing. Throws if that cannot be told, or if what stands
   * there can never become what is declared; `lacks` as for `refuses`.
   */
  read(args: Args, host: HostView): Promise<State | null>;

  /** How it should be: only the attributes asked for; `null` if it should not exist. */
  want(args: Args, host: HostView): Partial<State> | null | Promise<Partial<State> | null>;

  /**
   * Why only carrying it out tells whether it changes anything; `null` if that is known before. A dry run then says
   * `unknown` for this reason, and a run goes by what `apply` answers.
   */
  uncertain?(
    args: Args,
    change: Change<State>,
    host: HostView,
  ): string | null | Promise<string | null>;

  /** Whether it may do without a guard for once; `needsGuard` holds otherwise. */
  goesUnguarded?(args: Args): boolean;

  /** What whoever reads the report is to be told where nothing changes, of the arguments and of how the thing is. */
  says?(args: Args, state: State | null): string;

  /**
   * Throws if this change cannot be carried out as the host is, so that a plan says it, and a run says it before its
   * first effect: with what is missing as `lacks` (resource names), of which earlier states are asked. Changes nothing.
   */
  refuses?(change: Change<State>, args: Args, host: HostView): Promise<void>;

  /** The same of its reaction to what it watches, where it could not be made as the host is. */
  refusesReaction?(args: Args, host: HostView): Promise<void>;

  /** Carries out one change. */
  apply(change: Change<State>, args: Args, host: Host): Promise<Applied>;

  /**
   * Whether carrying out this change has the effect of `react` too, so that it is not called as
   * well: a service that has just been started runs on its new configuration. Default: it has not.
   */
  answers?(change: Change<State>): boolean;

  /**
   * Brings up what stands there now, even if that is not what is declared: it has not come up on the files that it watches,
   * and the engine has put the old ones back.
   */
  bringBack?(args: Args, host: Host): Promise<unknown>;

  /** Answers a `watch` or `listen`: a state this one watches has changed. Says what was done; `unchanged` if nothing was. */
  react?(args: Args, host: Host): Promise<string>;
}

/** `unchanged`: there turned out to be nothing to do. What a command of the tree's author printed is reported. */
export type Applied = void | 'unchanged' | { readonly printed: string };

/** Checks a state type against its own types, then forgets them, so that all fit one registry. */
export function defineState<Args, State extends Attributes>(
  type: StateType<Args, State>,
): StateType {
  return type;
}
