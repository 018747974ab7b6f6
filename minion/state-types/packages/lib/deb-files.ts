import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';
import { download } from '../../lib/download.ts';

/** The version of the package in a .deb file; throws if it is the file of another package. */
export async function versionInFile(name: string, path: string, host: HostView): Promise<string> {
  const format = '--showformat=${Package}\t${Version}\t${Architecture}';
  const answer = await ask(
    host,
    ['dpkg-deb', '--show', format, '--', path],
    `read the package "${path}"`,
  );
  const [found = '', version = '', architecture = ''] = answer.split('\t');
  if (name === found || name === `${found}:${architecture}`) return version;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${name}" from "${path}": that is the package "${found}"`,
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
