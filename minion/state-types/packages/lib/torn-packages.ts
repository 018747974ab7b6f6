import type { HostView } from '../../../host/host.ts';
import { UNCACHED, askerOfApt } from '../../lib/packages.ts';
import type { AskApt } from '../../lib/packages.ts';

/** The third letter of a status is an error: it must be unpacked again before it can be configured. */
const TORN = /^(\S+)=(\S+) ..R$/gmu;

/**
 * Packages that dpkg was killed in the middle of unpacking, as apt-get is told of them (`nginx=1.22.1-9`): those
 * that a package source has in the same version. What came from a file is not among them.
 */
export async function tornPackages(host: HostView): Promise<readonly string[]> {
  const format = '${binary:Package}=${Version} ${db:Status-Abbrev}\n';
  const { stdout } = await host.query(['dpkg-query', '--show', `--showformat=${format}`]);
  const ask = await askerOfApt(host);
  const words = [...stdout.matchAll(TORN)].map(async ([, name = '', version = '']) =>
    (await isToBeHad({ name, version }, ask)) ? [`${name}=${version}`] : [],
  );
  return (await Promise.all(words)).flat();
}

async function isToBeHad(
  { name, version }: { readonly name: string; readonly version: string },
  ask: AskApt,
): Promise<boolean> {
  const { stdout } = await ask(['apt-cache', UNCACHED, 'madison', name]);
  return stdout.split('\n').some((line) => line.split('|')[1]?.trim() === version);
}
