/**
 * A file of the tree that a state uses, already rendered if it is a template. The compiler puts it
 * in place of the path in an argument that its state type lists under `treeFiles`.
 */
export interface TreeFile {
  /** Its path in the tree, e.g. `templates/nginx/eknight.conf.hbs`. */
  readonly path: string;
  /** SHA-256 (hex) of `read()`. */
  readonly sha256: string;
  /** Its permissions in the tree, as four octal digits; absent if they are not known. */
  readonly mode?: string;
  /** A secret of the pillar went into it. */
  readonly isSecret?: true;
  /** The bytes to put on the host. */
  read(): Uint8Array;
}

/** A directory of the tree that a state uses, in place of an argument listed under `treeDirectories`. */
export interface TreeDirectory {
  /** Its path in the tree, e.g. `templates/nginx`. */
  readonly path: string;
  /** All that is below it, sorted by where each file goes: its path without the directory's. */
  readonly files: readonly { readonly to: string; readonly file: TreeFile }[];
}

export function isTreeDirectory(value: unknown): value is TreeDirectory {
  return typeof value === 'object' && value !== null && 'files' in value && 'path' in value;
}

export function isTreeFile(value: unknown): value is TreeFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'read' in value &&
    typeof value.read === 'function' &&
    'sha256' in value
  );
}
