import type { Place } from '../place.ts';
import type { Link, Problems } from '../problem.ts';
import type { Tree } from '../tree.ts';

const SUFFIXES = ['.yaml', '.sls'] as const;

export type Folder = 'states' | 'pillars';

/** The files that a dotted name can mean: `a.b` is `a/b.yaml` or `a/b/init.yaml`. */
export function pathsOf(folder: Folder, name: string): readonly string[] {
  const path = `${folder}/${name.replaceAll('.', '/')}`;
  return SUFFIXES.flatMap((suffix) => [`${path}${suffix}`, `${path}/init${suffix}`]);
}

/** Every file of a folder by its dotted name, sorted; `top` is not among them. */
export function namedFiles(tree: Tree, folder: Folder): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { path } of tree.manifest) {
    const name = nameOf(folder, path);
    if (name !== null && name !== 'top') names.set(name, [...(names.get(name) ?? []), path]);
  }
  return new Map([...names].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `states/web/init.yaml` is `web`; `null` for what has no such name. */
export function nameOf(folder: Folder, path: string): string | null {
  const suffix = SUFFIXES.find((ending) => path.endsWith(ending));
  if (suffix === undefined || !path.startsWith(`${folder}/`)) return null;
  const stem = path.slice(folder.length + 1, -suffix.length);
  const parts = stem.replace(/\/init$/u, '').split('/');
  return parts.every((part) => part !== '' && !part.includes('.')) ? parts.join('.') : null;
}

/** The path and bytes of the file that a dotted name means; why there is none is reported. */
export function findFile(
  tree: Tree,
  folder: Folder,
  { name, place }: { name: string; place: Place },
  { problems, chain = [] }: { problems: Problems; chain?: readonly Link[] },
): { path: string; bytes: Uint8Array } | null {
  const found = pathsOf(folder, name).flatMap((path) => {
    const bytes = tree.read(path);
    return bytes === null ? [] : [{ path, bytes }];
  });
  const [file, other] = found;
  if (file === undefined) {
    problems.add(place, `the file of "${name}" is not in this part of the tree`, { chain });
    return null;
  }
  if (other !== undefined) {
    problems.add(place, `"${name}" is two files: ${file.path} and ${other.path}`, { chain });
  }
  return file;
}
