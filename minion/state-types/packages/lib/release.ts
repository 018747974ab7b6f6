import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { lookForDownload } from '../../lib/download.ts';
import type { SourceEntry } from './source-entry.ts';

/**
 * Throws SOURCE_MISSING if the server of a source has nothing where apt would look for its lists. Not asked where apt goes
 * by a proxy or by other ways than http, or says names of its own in the address.
 */
export async function lookForReleases(
  { uris, suites }: SourceEntry,
  host: HostView,
): Promise<void> {
  const places = uris.flatMap((uri) => suites.map((suite) => placeOf(uri, suite)));
  const asked = places.filter((place) => /^https?:/iu.test(place) && !place.includes('$('));
  if (asked.length === 0 || (await hasProxy(host))) return;
  for (const place of asked) await lookForRelease(place, host);
}

/** A suite that ends in a slash is a directory by itself. */
function placeOf(uri: string, suite: string): string {
  const path = suite.endsWith('/') ? suite.replace(/^(?:\.?\/)+/u, '') : `dists/${suite}/`;
  return `${uri.replace(/\/+$/u, '')}/${path}`;
}

async function lookForRelease(place: string, host: HostView): Promise<void> {
  try {
    await lookForDownload(`${place}InRelease`, host);
  } catch (error) {
    if (!(error instanceof ConductorError) || error.code !== 'SOURCE_MISSING') throw error;
    await lookForDownload(`${place}Release`, host);
  }
}

/** The error for lists that apt has not got, from what it says. */
export function notFetched(warnings: string): ConductorError {
  const words = warnings.trim().split('\n').slice(0, 4).join('; ');
  return new ConductorError('CHECK_FAILED', `apt does not get its lists: ${words}`);
}

async function hasProxy(host: HostView): Promise<boolean> {
  const { stdout } = await host.query(['apt-config', 'dump']);
  return /^Acquire::https?::Proxy.* "[^"]+";$/imu.test(stdout);
}
