import { createHash, hash } from 'node:crypto';
import { posix } from 'node:path';

/** A digest that some content must have. */
export interface Digest {
  readonly algorithm: string;
  /** Lower-case hex. */
  readonly hex: string;
}

const LENGTHS: ReadonlyMap<number, string> = new Map([
  [32, 'md5'],
  [40, 'sha1'],
  [56, 'sha224'],
  [64, 'sha256'],
  [96, 'sha384'],
  [128, 'sha512'],
]);

const DIGEST = /^(?:(?<named>md5|sha1|sha224|sha256|sha384|sha512)[=:])?(?<hex>[0-9a-f]+)$/iu;

/** `sha256=…`, `sha256:…` or bare hex, whose length tells the algorithm; `null` if it is no digest. */
export function parseDigest(text: string): Digest | null {
  const { named, hex = '' } = DIGEST.exec(text)?.groups ?? {};
  const algorithm = LENGTHS.get(hex.length);
  if (algorithm === undefined) return null;
  if (named !== undefined && named.toLowerCase() !== algorithm) return null;
  return { algorithm, hex: hex.toLowerCase() };
}

/** Finds a file's digest in a text such as SHA256SUMS; a lone digest is meant for every name. */
export function findDigest(text: string, fileNames: readonly string[]): Digest | null {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/u));
  for (const words of lines) {
    const name = posix.basename((words.at(-1) ?? '').replace(/^\*/u, ''));
    const digest = words.length > 1 && fileNames.includes(name) ? firstDigest(words) : null;
    if (digest !== null) return digest;
  }
  const digests = lines.flatMap((words) => firstDigest(words) ?? []);
  return digests.length === 1 ? (digests[0] ?? null) : null;
}

function firstDigest(words: readonly string[]): Digest | null {
  return words.map(parseDigest).find((digest) => digest !== null) ?? null;
}

/** `sha256=9f86…`. */
export function showDigest({ algorithm, hex }: Digest): string {
  return `${algorithm}=${hex}`;
}

/** The digest of some content, written as `showDigest` writes it. */
export function digestOf(content: Uint8Array, algorithm: string): string {
  return showDigest({ algorithm, hex: createHash(algorithm).update(content).digest('hex') });
}

/** The SHA-256 of some content, as a tree names its files by. */
export function sha256Of(content: Uint8Array): string {
  return hash('sha256', content);
}
