/** One file of a tree, as a revision's manifest lists it. */
export interface ManifestEntry {
  /** Relative to the tree, with `/`; below `states/`, `pillars/` or `templates/`. */
  readonly path: string;
  /** Of its bytes, in hex; the name of its blob. */
  readonly sha256: string;
  readonly size: number;
  /** Permission bits as four octal digits, e.g. `0644`. */
  readonly mode: string;
}

/** Sorted by path. */
export type Manifest = readonly ManifestEntry[];

/** A snapshot that can be read. Everything in `language` but `source.ts` reads trees through it. */
export interface Tree {
  /** The revision's id: SHA-256 (hex) of the whole tree's manifest as canonical JSON. */
  readonly revision: string;
  readonly manifest: Manifest;
  /** The bytes of a file; `null` if the tree has none of that path. */
  read(path: string): Uint8Array | null;
}
