import { ConductorError } from '../../../shared/errors.ts';
import type { HostView, HttpAnswer, HttpOptions } from '../../host/host.ts';

const MOST_REDIRECTS = 8;
const TIMEOUT_MS = 120_000;
const LOOK_MS = 10_000;

/** Fetches a URL once a run. Follows redirects, but never from https to http. Throws SOURCE_MISSING. */
export function download(url: string, host: HostView): Promise<Uint8Array> {
  return host.shared(`download:${url}`, async () => {
    const answer = await follow(url, { timeoutMs: TIMEOUT_MS }, host);
    if (answer === null) throw missing(url, 'nothing answers', { lacks: null });
    return answer.body;
  });
}

/**
 * Throws what a download would throw, as far as the headers of the answer tell it. Who takes longer for these than a
 * look may take is not judged.
 */
export function lookForDownload(url: string, host: HostView): Promise<void> {
  return host.shared(`download-look:${url}`, async () => {
    const begun = performance.now();
    const answer = await follow(url, { timeoutMs: LOOK_MS, onlyHeaders: true }, host);
    if (answer === null && performance.now() - begun < LOOK_MS)
      throw missing(url, 'nothing answers', { lacks: null });
  });
}

/** The answer at the end of all redirects; `null` if there is none in time. */
async function follow(
  url: string,
  options: HttpOptions,
  host: HostView,
): Promise<HttpAnswer | null> {
  let at = url;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const answer = await host.httpGet(at, options);
    if (answer === null || answer.status === 200) return answer;
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

/** Where nothing answers, a network, a name server or a firewall of an earlier state may change that. */
function missing(url: string, state: string, details = {}): ConductorError {
  const message = `Cannot download "${withoutUser(url)}": ${state}`;
  return new ConductorError('SOURCE_MISSING', message, details);
}

/** A URL without a name and password that may stand in it. */
export function withoutUser(url: string): string {
  return url.replace(/^(?<scheme>[a-z]+:\/\/)[^/@]*@/iu, '$<scheme>');
}
