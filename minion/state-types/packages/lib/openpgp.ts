import { createHash } from 'node:crypto';

const ARMORED =
  /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]+: [^\n]*\n)*\s*\n(?<body>[A-Za-z0-9+/=\s]+?)(?:\n=[A-Za-z0-9+/]{4})?\s*-----END PGP PUBLIC KEY BLOCK-----/gu;

/** Public keys as the bytes that a keyring holds, whether they come as text or as bytes. */
export function keyringBytes(key: Uint8Array): Uint8Array {
  const blocks = [...Buffer.from(key).toString('latin1').matchAll(ARMORED)];
  if (blocks.length === 0) return key;
  return Buffer.concat(blocks.map(({ groups }) => Buffer.from(groups?.['body'] ?? '', 'base64')));
}

/** Fingerprints of all keys in a keyring, capital hexadecimal; none if it is no keyring. */
export function fingerprintsIn(keyring: Uint8Array): readonly string[] {
  const bytes = Buffer.from(keyring);
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const packet = packetAt(bytes, at);
    if (packet === null) return [];
    const { tag, start, end } = packet;
    const body = bytes.subarray(start, end);
    const fingerprint = KEY_TAGS.includes(tag) ? fingerprintOf(body) : null;
    if (fingerprint !== null) found.push(fingerprint);
    at = end;
  }
  return found;
}

/** A public key and a public subkey. */
const KEY_TAGS: readonly number[] = [6, 14];

interface Packet {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** One packet (RFC 9580, 4.2); `null` where there is none. */
function packetAt(bytes: Buffer, at: number): Packet | null {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) return null;
  const isNew = (first & 0x40) !== 0;
  const tag = isNew ? first & 0x3f : (first >> 2) & 0x0f;
  const length = isNew ? newLength(bytes, at + 1) : oldLength(bytes, at + 1, first & 3);
  if (length === null) return null;
  const end = length.start + length.size;
  return end > bytes.length ? null : { tag, start: length.start, end };
}

type Length = { readonly start: number; readonly size: number } | null;

function oldLength(bytes: Buffer, at: number, kind: number): Length {
  const width = 2 ** kind;
  if (kind === 3 || at + width > bytes.length) return null;
  return { start: at + width, size: bytes.readUIntBE(at, width) };
}

function newLength(bytes: Buffer, at: number): Length {
  const first = bytes[at];
  if (first === undefined) return null;
  if (first < 192) return { start: at + 1, size: first };
  if (first < 224) {
    const second = bytes[at + 1];
    return second === undefined
      ? null
      : { start: at + 2, size: (first - 192) * 256 + second + 192 };
  }
  if (first !== 255 || at + 5 > bytes.length) return null;
  return { start: at + 5, size: bytes.readUInt32BE(at + 1) };
}

function fingerprintOf(body: Buffer): string | null {
  const version = body[0];
  if (version === 4) {
    const head = Buffer.from([0x99, body.length >> 8, body.length & 0xff]);
    return createHash('sha1').update(head).update(body).digest('hex').toUpperCase();
  }
  if (version !== 6) return null;
  const head = Buffer.alloc(5, 0x9b);
  head.writeUInt32BE(body.length, 1);
  return createHash('sha256').update(head).update(body).digest('hex').toUpperCase();
}
