import { hardLink, link, own, ownIn, rename } from './change-files.ts';
import type { FileToWrite, Host, Ownership } from './host.ts';
import { makeDirectories, makeDirectory } from './make-directory.ts';
import type { Owner } from './ownership.ts';
import { remove } from './remove.ts';
import { writeFile } from './write-file.ts';
import { batchesOf, writeTogether } from './write-files.ts';
import type { OwnedFile } from './write-files.ts';

/** Looks up the numbers of who is to own a path. */
export type OwnerFor = (path: string, ownership?: Ownership) => Promise<Owner>;

type FileChanges = Pick<
  Host,
  | 'writeFile'
  | 'writeFiles'
  | 'makeDirectory'
  | 'makeDirectories'
  | 'own'
  | 'ownIn'
  | 'hardLink'
  | 'link'
  | 'rename'
  | 'remove'
>;

/** What a host does to files. Many are written until the signal says that it is enough. */
export function fileChanges(ownerFor: OwnerFor, signal: AbortSignal): FileChanges {
  return {
    async writeFile(path, content, ownership) {
      writeFile(path, content, await ownerFor(path, ownership));
    },
    async writeFiles(files) {
      for (const batch of batchesOf(files)) {
        signal.throwIfAborted();
        await writeTogether(await ownedBy(ownerFor, batch));
      }
    },
    async makeDirectory(path, ownership) {
      makeDirectory(path, await ownerFor(path, ownership));
    },
    async makeDirectories(paths, ownership) {
      makeDirectories(paths, await ownerFor(paths[0] ?? '/', ownership));
    },
    async own(path, ownership) {
      own(path, await ownerFor(path, ownership));
    },
    ownIn: async (directory, wanted) => ownEach(directory, wanted, ownerFor),
    hardLink: async (path, to) => hardLink(path, to),
    async link(path, to, ownership) {
      link(path, to, await ownerFor(path, ownership));
    },
    rename: async (from, to) => rename(from, to),
    remove: async (path) => remove(path),
  };
}

async function ownedBy(ownerFor: OwnerFor, files: readonly FileToWrite[]): Promise<OwnedFile[]> {
  const owned: OwnedFile[] = [];
  for (const { path, content, ownership } of files)
    owned.push({ path, content, owner: await ownerFor(path, ownership) });
  return owned;
}

async function ownEach(
  directory: string,
  wanted: ReadonlyMap<string, Ownership>,
  ownerFor: OwnerFor,
): Promise<void> {
  const owners = new Map<string, Owner>();
  for (const [name, one] of wanted) owners.set(name, await ownerFor(`${directory}/${name}`, one));
  ownIn(directory, owners);
}
