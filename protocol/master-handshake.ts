import { areEqual, concat } from './bytes.ts';
import { readCertificate } from './certificate.ts';
import { isSoundPublicKey, sharedSecret, verifies } from './checks.ts';
import type { Crypto, SigningKey } from './crypto.ts';
import { fingerprintOf } from './fingerprint.ts';
import {
  decodeM1,
  decodeM3,
  decodeMinionPart,
  encodeM2Head,
  refusal,
  withLength,
} from './handshake-messages.ts';
import type { Hello, MinionPart } from './handshake-messages.ts';
import { SUITE, VERSION } from './handshake.ts';
import type { Chance } from './handshake.ts';
import {
  erase,
  hkdf,
  mix,
  partKeys,
  sessionKeys,
  signedText,
  startTranscript,
} from './key-schedule.ts';
import type { SessionKeys } from './key-schedule.ts';
import { joinProof } from './minion-handshake.ts';

export interface MasterSide {
  readonly crypto: Crypto;
  /** 136 bytes: the root key's word for `identity`. */
  readonly certificate: Uint8Array;
  readonly identity: SigningKey;
}

/** Who is there: its key is proven, its right to be here is not. */
export interface Claim {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly fingerprint: string;
  /** The join token that it names; whether it knows the secret, `proves` tells. */
  readonly join: {
    readonly tokenId: Uint8Array;
    /** Given the SHA-256 of the token's secret, as the store has it. */
    proves(secretHash: Uint8Array): boolean;
  } | null;
}

export interface MasterHandshake {
  readonly m2: Uint8Array;
  /** Checks the minion's key; throws HANDSHAKE_FAILED. */
  finish(m3: Uint8Array): { readonly claim: Claim; readonly keys: SessionKeys };
}

/** The master's half of one handshake; pure but for `chance`. Throws HANDSHAKE_FAILED. */
export function answerMinion(
  side: MasterSide,
  m1: Uint8Array,
  chance: Chance = { ephemeral: side.crypto.random(32), nonce: side.crypto.random(32) },
): MasterHandshake {
  const { crypto, certificate, identity } = side;
  const hello = decodeM1(m1);
  checkHello(side, hello);
  const head = encodeM2Head({
    version: VERSION,
    suite: SUITE,
    ephemeral: crypto.dhPublicKey(chance.ephemeral),
    nonce: chance.nonce,
  });
  const dh = sharedSecret(crypto, chance.ephemeral, hello.ephemeral);
  if (dh === null) throw refusal('the key exchange gives nothing secret');
  const th1 = mix(crypto, mix(crypto, startTranscript(crypto), m1), head);
  const hs = hkdf(crypto, dh, th1, { info: 'cdr1 hs', length: 64 });
  const keys = partKeys(crypto, hs, th1, 'r');

  const th2 = mix(crypto, th1, certificate);
  const signature = crypto.sign(signedText('CDR1 master auth v1', th2), identity);
  const th3 = mix(crypto, th2, signature);
  const finish = crypto.hmacSha512(keys.finish, th3);
  const th4 = mix(crypto, th3, finish);
  const sealed = crypto.seal(keys.seal, 0n, concat(certificate, signature, finish));
  erase(dh, chance.ephemeral, keys.seal, keys.finish);
  return { m2: concat(head, withLength(sealed)), finish: (m3) => checkMinion(side, m3, hs, th4) };
}

function checkHello({ crypto, certificate }: MasterSide, hello: Hello): void {
  if (!hello.versions.includes(VERSION)) throw refusal('the minion offers no version known here');
  if (!hello.suites.includes(SUITE)) throw refusal('the minion offers no suite known here');
  const rootId = crypto.sha256(readCertificate(certificate).rootKey).slice(0, 8);
  if (!areEqual(hello.rootId, rootId) && !areEqual(hello.rootId, new Uint8Array(8)))
    throw refusal('the minion has pinned another root key');
}

function checkMinion(
  { crypto }: MasterSide,
  m3: Uint8Array,
  hs: Uint8Array,
  th4: Uint8Array,
): { readonly claim: Claim; readonly keys: SessionKeys } {
  const part = partKeys(crypto, hs, th4, 'i');
  const plaintext = crypto.open(part.seal, 0n, decodeM3(m3));
  if (plaintext === null) throw refusal('the proof of the minion does not open');
  const proof = decodeMinionPart(plaintext);
  const { publicKey } = proof.identity;
  if (!isSoundPublicKey(publicKey)) throw refusal('the minion gives a key that is none');

  const th5 = mix(crypto, th4, proof.bytes);
  const signed = signedText('CDR1 minion auth v1', th5);
  if (!verifies(crypto, signed, proof.signature, publicKey))
    throw refusal('the minion does not hold the key that it gives');
  const th6 = mix(crypto, th5, proof.signature);
  if (!areEqual(crypto.hmacSha512(part.finish, th6), proof.finish))
    throw refusal('the two sides have not seen the same messages');
  const th7 = mix(crypto, th6, proof.finish);
  const keys = sessionKeys(crypto, hs, th7);
  erase(hs, part.seal, part.finish);
  return { claim: claimOf(crypto, proof, th7), keys };
}

function claimOf(
  crypto: Crypto,
  { identity, joinProof: given }: MinionPart,
  th7: Uint8Array,
): Claim {
  const { id, publicKey, tokenId } = identity;
  const join =
    tokenId === null || given === null
      ? null
      : {
          tokenId,
          proves: (secretHash: Uint8Array) => areEqual(joinProof(crypto, secretHash, th7), given),
        };
  return { id, publicKey, fingerprint: fingerprintOf(crypto, publicKey), join };
}
