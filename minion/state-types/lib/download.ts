import { ConductorError } from '../../../shared/errors.ts';
import type { HostView } from '../../host/host.ts';

const MOST_REDIRECTS = 8;
const TIMEOUT_MS = 120_000;

/** Fetches a URL once a run. Follows redirects, but never from https to http. Throws SOURCE_MISSING. */
export function download(url: string, host: HostView): Promise<Uint8Array> {
  return host.shared(`download:${url}`, () => follow(url, host));
}

async function follow(url: string, host: HostView): Promise<Uint8Array> {
  let at = url;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const answer = await host.httpGet(at, { timeoutMs: TIMEOUT_MS });
    if (answer === null) throw missing(url, 'nothing answers');
    if (answer.status === 200) return answer.body;
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || location === undefined) {
      throw missing(url, `the answer is status ${answer.status}`);
    }
    const next = new URL(location, at).href;
    if (at.startsWith('https:') && !next.startsWith('https:')) {
      throw missing(url, 'it redirects from https to something else');
    }
    at = next;
  }
  throw missing(url, `it redirects more than ${MOST_REDIRECTS} times`);
}

function missing(url: string, state: string): ConductorError {
  return new ConductorError('SOURCE_MISSING', `Cannot download "${withoutUser(url)}": ${state}`);
}

/** A URL without a name and password that may stand in it. */
export function withoutUser(url: string): string {
  return url.replace(/^(?<scheme>[a-z]+:\/\/)[^/@]*@/iu, '$<scheme>');
}
