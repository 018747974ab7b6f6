/**
 * A file of the tree that a state uses, already rendered if it is a template. The compiler puts it
 * in place of the path in an argument that its state type lists under `treeFiles`.
 */
export interface TreeFile {
  /** Its path in the tree, e.g. `templates/nginx/eknight.conf.hbs`. */
  readonly path: string;
  /** SHA-256 (hex) of `read()`. */
  readonly sha256: string;
  /** The bytes to put on the host. */
  read(): Uint8Array;
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
