/** What the rest of a catalog means for one state. */
export interface Surroundings {
  /** What all other declarations bring about, as resource names: `path:/srv/app`. */
  readonly provided: () => readonly string[];
  /** Texts that others have gathered for a file, by its path and then by a name. */
  readonly gathered: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
  /** What all other declarations decide at every run. */
  readonly settled: () => readonly Settled[];
  /** Whether a secret goes into what the state writes. */
  readonly holdsSecret: boolean;
}

/** Texts that one state gathers for a file of others. */
export interface Gathered {
  readonly path: string;
  readonly name: string;
  readonly texts: readonly string[];
}

/**
 * What a state decides of the things that it is about, at every run: by resource name (`path:/etc/motd`) and attribute,
 * as a text of which only equality matters; what begins with `MEANWHILE` may be decided otherwise by a state behind it.
 */
export type Settled = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The attribute of a path into which a secret goes, whatever its mode is. */
export const SECRET = 'secret';

/** Permissions that a state gives beside those of a mode, which bounds them: an entry of an access list. */
export interface Permits {
  readonly path: string;
  /** Whether for all that is below the path as well. */
  readonly isBelow: boolean;
  /** Which digit of the mode it is about. */
  readonly whose: 'owner' | 'group' | 'others';
  /** How the entry is called. */
  readonly entry: string;
  /** Such as `r-x`. */
  readonly perms: string;
  /** Whether the digit is no more than that either. */
  readonly isExact: boolean;
}

export const MEANWHILE = 'meanwhile';

/** What a state makes of the text of one file, at every run. */
export interface Rewriting {
  readonly path: string;
  /** Lines that are in its arguments: what such a file may hold. */
  readonly samples: readonly string[];
  /** `null` is a file that is not there. Pure; throws where the text cannot be rewritten. */
  readonly rewrite: (text: string | null) => string | null;
}
