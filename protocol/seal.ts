import nacl from 'tweetnacl';
import { ConductorError } from '../shared/errors.ts';
import { areEqual, concat, utf8 } from './bytes.ts';

/**
 * Values of a pillar that only the master can read: a NaCl box from a key pair made for this one
 * value, so that sealing needs nothing but the public key. Base64 of
 * `1 || first 8 bytes of SHA-512(public key) || ephemeral public key || box`.
 */

const FORMAT = 1;
const KEY_ID_LENGTH = 8;
const HEAD_LENGTH = 1 + KEY_ID_LENGTH + 32;
const KEY_PREFIX = 'cdr1seal:';

export interface SealingKey {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The sealing key that 32 private bytes stand for. */
export function sealingKey(privateKey: Uint8Array): SealingKey {
  return { privateKey, publicKey: nacl.box.keyPair.fromSecretKey(privateKey).publicKey };
}

/** A public sealing key for people to hand around: `cdr1seal:<base64>`. */
export function formatSealingKey(publicKey: Uint8Array): string {
  return `${KEY_PREFIX}${Buffer.from(publicKey).toString('base64')}`;
}

/** Throws SEALED_VALUE. */
export function parseSealingKey(text: string): Uint8Array {
  const bytes = Buffer.from(text.trim().slice(KEY_PREFIX.length), 'base64');
  if (!text.trim().startsWith(KEY_PREFIX) || bytes.length !== 32)
    throw new ConductorError('SEALED_VALUE', `Cannot seal: "${text.trim()}" is no sealing key`);
  return new Uint8Array(bytes);
}

export function seal(publicKey: Uint8Array, text: string): string {
  const ephemeral = nacl.box.keyPair();
  const nonce = nonceOf(ephemeral.publicKey, publicKey);
  const box = nacl.box(utf8(text), nonce, publicKey, ephemeral.secretKey);
  ephemeral.secretKey.fill(0);
  const sealed = concat(Uint8Array.of(FORMAT), keyId(publicKey), ephemeral.publicKey, box);
  return Buffer.from(sealed).toString('base64');
}

/** Throws SEALED_VALUE: it is damaged, or sealed to another key. */
export function open({ privateKey, publicKey }: SealingKey, sealed: string): string {
  const bytes = new Uint8Array(Buffer.from(sealed, 'base64'));
  if (bytes.length < HEAD_LENGTH + nacl.box.overheadLength || bytes[0] !== FORMAT)
    throw unopenable('it is not a sealed value (or was cut off)');
  if (!areEqual(bytes.subarray(1, 1 + KEY_ID_LENGTH), keyId(publicKey)))
    throw unopenable('it was sealed to the key of another master');
  const ephemeral = bytes.subarray(1 + KEY_ID_LENGTH, HEAD_LENGTH);
  const nonce = nonceOf(ephemeral, publicKey);
  const text = nacl.box.open(bytes.subarray(HEAD_LENGTH), nonce, ephemeral, privateKey);
  if (text === null) throw unopenable('it is damaged');
  return Buffer.from(text).toString('utf8');
}

/** One nonce a value: the ephemeral key is never used for another. */
function nonceOf(ephemeral: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return nacl.hash(concat(utf8('CDR1 seal v1\0'), ephemeral, publicKey)).slice(0, 24);
}

function keyId(publicKey: Uint8Array): Uint8Array {
  return nacl.hash(publicKey).slice(0, KEY_ID_LENGTH);
}

function unopenable(problem: string): ConductorError {
  return new ConductorError('SEALED_VALUE', `Cannot open a sealed value: ${problem}`);
}
