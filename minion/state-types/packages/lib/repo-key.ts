import { createHash } from 'node:crypto';
import { ConductorError } from '../../../../shared/errors.ts';
import { isTreeFile } from '../../../../shared/tree-file.ts';
import type { HostView } from '../../../host/host.ts';
import { download, withoutUser } from '../../lib/download.ts';
import type { ManagedArgs } from '../pkgrepo-schema.ts';
import { fingerprintsIn, keyringBytes } from './openpgp.ts';

/** What says which key a source is to have. */
export type KeyArgs = Pick<
  ManagedArgs,
  'key_url' | 'key_hash' | 'key_text' | 'keyid' | 'keyserver'
>;

/** What is in a keyring, in the words in which it is compared; `null` if no key is asked for. */
export async function describeKeyring(
  args: KeyArgs,
  path: string,
  host: HostView,
): Promise<string | null> {
  if (!asksForKey(args)) return null;
  const bytes = await host.readFile(path);
  if (bytes === null) return 'none';
  const fingerprints = fingerprintsIn(keyringBytes(bytes));
  if (args.keyid !== undefined) return describeFound(fingerprints, args.keyid);
  if (isUnknownUntilFetched(args)) return fingerprints.length === 0 ? 'none' : 'a key is there';
  return digestOf(bytes);
}

/** What should be in it. */
export async function describeWantedKey(args: KeyArgs, host: HostView): Promise<string | null> {
  if (!asksForKey(args)) return null;
  if (args.keyid !== undefined) return `the key ${args.keyid}`;
  if (isUnknownUntilFetched(args)) return 'a key is there';
  return digestOf(await fetchKey(args, host));
}

function asksForKey({ key_url: url, key_text: text, keyid }: KeyArgs): boolean {
  return url !== undefined || text !== undefined || keyid !== undefined;
}

/** A URL without a hash: whatever it gave once stays. */
function isUnknownUntilFetched({ key_url: url, key_hash: hash }: KeyArgs): boolean {
  return typeof url === 'string' && !url.startsWith('/') && hash === undefined;
}

function describeFound(fingerprints: readonly string[], keyid: string): string {
  const isThere = fingerprints.some((one) => one.endsWith(keyid));
  if (isThere) return `the key ${keyid}`;
  return fingerprints.length === 0 ? 'none' : `the key ${fingerprints[0] ?? ''}`;
}

/** The same for a key as text and as bytes. */
function digestOf(bytes: Uint8Array): string {
  return `sha256=${createHash('sha256').update(keyringBytes(bytes)).digest('hex')}`;
}

/** The keyring that is declared. Throws SOURCE_MISSING if it is not to be had or is another one. */
export async function fetchKey(args: KeyArgs, host: HostView): Promise<Uint8Array> {
  const { from, bytes } = await rawKey(args, host);
  const is = createHash('sha256').update(bytes).digest('hex');
  if (args.key_hash !== undefined && is !== args.key_hash) {
    throw unusable(from, `it has sha256=${is}, not sha256=${args.key_hash}`);
  }
  const keyring = keyringBytes(bytes);
  const fingerprints = fingerprintsIn(keyring);
  if (fingerprints.length === 0) throw unusable(from, 'it is no OpenPGP public key');
  const { keyid } = args;
  if (keyid === undefined || fingerprints.some((one) => one.endsWith(keyid))) return keyring;
  throw unusable(from, `it is the key ${fingerprints[0] ?? ''}, not ${keyid}`);
}

async function rawKey(
  { key_url: url, key_text: text, keyid, keyserver }: KeyArgs,
  host: HostView,
): Promise<{ from: string; bytes: Uint8Array }> {
  if (text !== undefined) return { from: 'key_text', bytes: Buffer.from(text) };
  if (isTreeFile(url)) return { from: url.path, bytes: url.read() };
  const from = url ?? keyserverUrl(keyserver ?? '', keyid ?? '');
  if (!from.startsWith('/')) return { from: withoutUser(from), bytes: await download(from, host) };
  const bytes = await host.readFile(from);
  if (bytes === null) throw unusable(from, 'there is no such file');
  return { from, bytes };
}

function keyserverUrl(keyserver: string, keyid: string): string {
  const name = keyserver.replace(/^[a-z]+:\/\//u, '').replace(/\/$/u, '');
  const scheme = /^(?:http|hkp):/u.test(keyserver) ? 'http' : 'https';
  return `${scheme}://${name}/pks/lookup?op=get&options=mr&search=0x${keyid}`;
}

function unusable(from: string, why: string): ConductorError {
  return new ConductorError('SOURCE_MISSING', `Cannot use the key "${from}": ${why}`, {
    lacks: from.startsWith('/') ? [`path:${from}`] : [],
  });
}
