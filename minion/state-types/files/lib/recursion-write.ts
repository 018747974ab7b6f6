import type { FileToWrite, FoundBelow, Host } from '../../../host/host.ts';
import { said } from '../../lib/said.ts';
import type { RecurseArgs } from '../file-recurse-schema.ts';
import { ownStrays } from './below.ts';
import { removeBelow } from './clean.ts';
import { backUp } from './file-safety.ts';
import { look } from './recursion.ts';
import type { Survey } from './recursion.ts';
import { modeFor } from './recursion-files.ts';

/** Makes of a directory what it should be. */
export async function bringAbout(args: RecurseArgs, host: Host): Promise<void> {
  const found = await look(args, host);
  if (found === null) return;
  const { name, user, group } = args;
  const missing = found.missingDirectories.map((path) => `${name}/${path}`);
  await host.makeDirectories(missing, said({ user, group, mode: args.dir_mode }));
  for (const { to, now } of found.files) await makeRoom(`${name}/${to}`, now, { args, host });
  await host.writeFiles(contentsOf(found.files, args));
  await ownStrays(name, found.strays, host);
  await removeBelow(name, found.unwanted, host);
}

/** A link goes, and what a file held is kept if that is asked. */
async function makeRoom(
  path: string,
  now: FoundBelow | undefined,
  { args, host }: { readonly args: RecurseArgs; readonly host: Host },
): Promise<void> {
  if (now?.kind === 'symlink') await host.remove(path);
  else if (now !== undefined) await backUp(args, path, host);
}

/** One after the other, so that no more are in memory than are being written. */
function* contentsOf(files: Survey['files'], args: RecurseArgs): Generator<FileToWrite> {
  const { name, user, group } = args;
  for (const { to, file } of files) {
    const ownership = said({ user, group, mode: modeFor(args.file_mode, file) });
    yield { path: `${name}/${to}`, content: file.read(), ownership };
  }
}
