import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { ConductorError } from '../../shared/errors.ts';
import type { HttpAnswer, HttpOptions, HttpSending } from './host.ts';
import { following } from './signals.ts';

const LARGEST_BODY = 64 * 1024 * 1024;

/** See `HostView.canConnect`. */
export async function canConnect(
  { address, port, timeoutMs }: { address: string; port: number; timeoutMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const socket = connect({ host: address, port, timeout: timeoutMs });
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop);
  try {
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('timeout', () => resolve(false));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
    signal.throwIfAborted();
    return isOpen;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

const MASTER_TIMEOUT_MS = 3000;

/** See `HostView.reachesMaster`. */
export async function reachesOne(
  masters: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if (masters.length === 0) return true;
  const tries = masters.map((master) => {
    const { hostname, port, protocol } = new URL(
      /^wss?:\/\//u.test(master) ? master : `ws://${master}`,
    );
    const where = { address: hostname.replace(/^\[|\]$/gu, ''), port: portOf(port, protocol) };
    return canConnect({ ...where, timeoutMs: MASTER_TIMEOUT_MS }, signal);
  });
  return (await Promise.all(tries)).includes(true);
}

/** A URL leaves out the port that its protocol has anyway. */
function portOf(port: string, protocol: string): number {
  if (port !== '') return Number(port);
  return protocol === 'wss:' ? 443 : 80;
}

/** See `HostView.httpGet` and `Host.httpSend`. */
export async function httpAsk(
  url: string,
  options: HttpOptions | HttpSending,
  signal: AbortSignal,
): Promise<HttpAnswer | null> {
  signal.throwIfAborted();
  const { controller, dispose } = following(signal);
  const timer = setTimeout(() => controller.abort(), options.timeoutMs);
  try {
    return await get(new URL(url), options, controller.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConductorError) throw error;
    return null;
  } finally {
    clearTimeout(timer);
    dispose();
  }
}

async function get(
  url: URL,
  options: HttpOptions | HttpSending,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { address, headers, method = 'GET' } = options;
  const body = 'body' in options ? options.body : undefined;
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, {
      agent: false,
      method,
      signal,
      headers: { 'user-agent': 'conductor', ...headers },
      ...(address === undefined ? {} : { lookup: alwaysAt(address) }),
    });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.end(body);
  });
  const told = { status: answer.statusCode ?? 0, headers: flat(answer) };
  if (!('onlyHeaders' in options && options.onlyHeaders))
    return { ...told, body: await bodyOf(answer, url) };
  answer.destroy();
  return { ...told, body: new Uint8Array() };
}

/** Answers every name with one address, in both forms in which Node asks. */
function alwaysAt(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, { all }, answer) => {
    if (all === true) answer(null, [{ address, family }]);
    else answer(null, address, family);
  };
}

async function bodyOf(answer: IncomingMessage, url: URL): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer) {
    const bytes = Buffer.from(piece);
    size += bytes.byteLength;
    if (size > LARGEST_BODY) {
      const message = `Cannot fetch "${url.origin}${url.pathname}": it is larger than 64 MiB`;
      throw new ConductorError('SOURCE_MISSING', message);
    }
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

function flat({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
}
