import type { Manifest } from './tree.ts';

/** Where a tree keeps state types of its own. */
export const TYPES_FOLDER = 'states/_types/';

/** The files of a tree that hold the code of its own state types, in order. */
export function typePaths(manifest: Manifest): readonly string[] {
  return manifest
    .map(({ path }) => path)
    .filter((path) => path.startsWith(TYPES_FOLDER) && isCode(path));
}

/** What only helps editors is no code. */
function isCode(path: string): boolean {
  return /\.(?:ts|js)$/u.test(path) && !path.endsWith('.d.ts');
}
