import { createHash, createHmac, randomBytes } from 'node:crypto';

/** Lines of known_hosts. Their bytes stand for themselves (Latin-1), so that those of others stay as they are. */

export interface KnownHost {
  /** Names separated by commas, or one hashed name. */
  readonly names: string;
  readonly enc: string;
  readonly key: string;
}

/** A line that gives a host a key; `null` for remarks, marked lines (`@revoked`) and whatever else. */
export function parseKnownHost(line: string): KnownHost | null {
  const [names = '', enc = '', key = ''] = line.trim().split(/[ \t]+/u);
  if (/^[#@]/u.test(names) || key === '') return null;
  return { names, enc, key };
}

/** How a host is called in the file. */
export function hostLabel(name: string, port: number): string {
  return port === 22 ? name : `[${name}]:${port}`;
}

export function isHashed(names: string): boolean {
  return names.startsWith('|1|');
}

/** Whether these names have this very one among them. Patterns are for others. */
export function isNamed(names: string, label: string): boolean {
  if (!isHashed(names)) return names.split(',').includes(label);
  const [, , salt = '', hash = ''] = names.split('|');
  return hashOf(label, salt) === hash;
}

function hashOf(label: string, salt: string): string {
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(label).digest('base64');
}

export function hashedName(label: string): string {
  const salt = randomBytes(20).toString('base64');
  return `|1|${salt}|${hashOf(label, salt)}`;
}

/** A line without one of its names; nothing if it has no other. */
export function withoutName(line: string, label: string): string[] {
  const host = parseKnownHost(line);
  if (host === null || !isNamed(host.names, label)) return [line];
  const others = isHashed(host.names) ? [] : host.names.split(',').filter((name) => name !== label);
  if (others.length === 0) return [];
  return [line.replace(host.names, others.join(','))];
}

/** Of a fingerprint: how it was made, and its bytes in base64 without padding. */
export interface Fingerprint {
  readonly algorithm: 'md5' | 'sha1' | 'sha256';
  readonly digest: string;
}

const BY_LENGTH: ReadonlyMap<number, Fingerprint['algorithm']> = new Map([
  [16, 'md5'],
  [20, 'sha1'],
  [32, 'sha256'],
]);

/** `SHA256:…` as ssh-keygen shows it, or hexadecimal bytes with colons; `null` for anything else. */
export function parseFingerprint(text: string): Fingerprint | null {
  const [, base64] = /^SHA256:(?<digest>[A-Za-z0-9+/]{43})=?$/u.exec(text) ?? [];
  if (base64 !== undefined) return { algorithm: 'sha256', digest: base64 };
  const hex = text.replace(/^MD5:/iu, '');
  if (!/^[0-9a-f]{2}(?::?[0-9a-f]{2})+$/iu.test(hex)) return null;
  const bytes = Buffer.from(hex.replaceAll(':', ''), 'hex');
  const algorithm = BY_LENGTH.get(bytes.length);
  return algorithm === undefined ? null : { algorithm, digest: unpadded(bytes) };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/u, '');
}

export function hasFingerprint(key: string, { algorithm, digest }: Fingerprint): boolean {
  return unpadded(createHash(algorithm).update(Buffer.from(key, 'base64')).digest()) === digest;
}

/** As ssh-keygen shows it. */
export function showFingerprint(key: string): string {
  return `SHA256:${unpadded(createHash('sha256').update(Buffer.from(key, 'base64')).digest())}`;
}
