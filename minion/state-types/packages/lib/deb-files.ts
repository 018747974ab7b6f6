import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';
import { download } from '../../lib/download.ts';

/** A fixed text; the path comes in as an argument. Any other way dpkg-deb unpacks to a directory first. */
const CONTROL =
  'dpkg-deb --ctrl-tarfile "$1" | tar --extract --to-stdout --wildcards --no-anchored control';

/** The version of the package in a .deb file; throws if it is the file of another package. */
export async function versionInFile(name: string, path: string, host: HostView): Promise<string> {
  const argv: Argv = ['bash', '-o', 'pipefail', '-c', CONTROL, 'bash', path];
  const control = await ask(host, argv, `read the package "${path}"`);
  const field = (word: string): string =>
    new RegExp(`^${word}: *(\\S+)$`, 'mu').exec(control)?.[1] ?? '';
  const found = field('Package');
  if (name === found || name === `${found}:${field('Architecture')}`) return field('Version');
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${name}" from "${path}": that is the package "${found}"`,
    { lacks: [`path:${path}`] },
  );
}

/**
 * Has the files of packages on the host while something is done with them: what a URL has is
 * downloaded to a directory of its own, which is gone afterwards.
 */
export async function withFiles(
  sources: ReadonlyMap<string, string>,
  host: Host,
  use: (paths: readonly string[]) => Promise<void>,
): Promise<void> {
  if (sources.size === 0) return use([]);
  const made = await host.run([
    'mktemp',
    '--directory',
    '--tmpdir=/run',
    'conductor-debs.XXXXXXXX',
  ]);
  const directory = made.stdout.trim();
  try {
    const paths: string[] = [];
    for (const [name, source] of sources) paths.push(await fileOf(name, source, directory, host));
    await use(paths);
  } finally {
    await host.remove(directory);
  }
}

async function fileOf(
  name: string,
  source: string,
  directory: string,
  host: Host,
): Promise<string> {
  if (source.startsWith('/')) return source;
  const path = `${directory}/${name.replaceAll(':', '_')}.deb`;
  await host.writeFile(path, await download(source, host));
  await versionInFile(name, path, host);
  return path;
}
