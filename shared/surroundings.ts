/** What the rest of a catalog means for one state. */
export interface Surroundings {
  /** What all other declarations bring about, as resource names: `path:/srv/app`. */
  readonly provided: () => readonly string[];
  /** Texts that others have gathered for a file, by its path and then by a name. */
  readonly gathered: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
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
 * as a text of which only equality matters.
 */
export type Settled = Readonly<Record<string, Readonly<Record<string, string>>>>;
