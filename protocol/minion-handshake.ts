import { areEqual, concat, utf8 } from './bytes.ts';
import { CERTIFICATE_LENGTH, isSignedByRoot, readCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { sharedSecret, verifies } from './checks.ts';
import type { Crypto, SigningKey } from './crypto.ts';
import { digestOfFingerprint, hasFingerprint } from './fingerprint.ts';
import { decodeM2, encodeIdentity, encodeM1, encodeM3, refusal } from './handshake-messages.ts';
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

export interface MinionSide {
  readonly crypto: Crypto;
  /** Fingerprint of the only root key to talk to; `null` takes any, once (trust on first use). */
  readonly pin: string | null;
  /** The highest certificate serial seen so far. */
  readonly minimumSerial: bigint;
  readonly minimumVersion?: number;
  readonly id: string;
  readonly identity: SigningKey;
  readonly join?: { readonly tokenId: Uint8Array; readonly secret: Uint8Array } | null;
}

export interface MinionHandshake {
  readonly m1: Uint8Array;
  /** Checks the master; throws HANDSHAKE_FAILED, and then nothing may be sent any more. */
  answer(m2: Uint8Array): {
    readonly m3: Uint8Array;
    readonly certificate: Certificate;
    readonly keys: SessionKeys;
  };
}

/** The minion's half of one handshake; pure but for `chance`. */
export function startMinionHandshake(
  side: MinionSide,
  chance: Chance = { ephemeral: side.crypto.random(32), nonce: side.crypto.random(32) },
): MinionHandshake {
  const { crypto, pin } = side;
  const digest = pin === null ? new Uint8Array(8) : digestOfFingerprint(pin);
  if (digest === null) throw refusal(`the pin "${pin}" is no fingerprint`);
  const m1 = encodeM1({
    versions: [VERSION],
    suites: [SUITE],
    ephemeral: crypto.dhPublicKey(chance.ephemeral),
    nonce: chance.nonce,
    rootId: digest.slice(0, 8),
  });
  return {
    m1,
    answer: (m2) => {
      const master = checkMaster(side, { m1, m2, ephemeral: chance.ephemeral });
      const { m3, th7 } = proveMinion(side, master);
      const keys = sessionKeys(crypto, master.hs, th7);
      erase(master.hs, chance.ephemeral);
      return { m3, certificate: master.certificate, keys };
    },
  };
}

interface CheckedMaster {
  readonly certificate: Certificate;
  readonly hs: Uint8Array;
  readonly th4: Uint8Array;
}

interface Sent {
  readonly m1: Uint8Array;
  readonly m2: Uint8Array;
  readonly ephemeral: Uint8Array;
}

/** In the order that the protocol demands: nothing is believed before what it stands on. */
function checkMaster(side: MinionSide, { m1, m2, ephemeral }: Sent): CheckedMaster {
  const { crypto, minimumVersion = VERSION } = side;
  const { answer, head, sealed } = decodeM2(m2);
  if (answer.version !== VERSION || answer.version < minimumVersion)
    throw refusal(`the master chose version ${answer.version}, which was not offered`);
  if (answer.suite !== SUITE) throw refusal('the master chose a suite that was not offered');

  const dh = sharedSecret(crypto, ephemeral, answer.ephemeral);
  if (dh === null) throw refusal('the key exchange gives nothing secret');
  const th1 = mix(crypto, mix(crypto, startTranscript(crypto), m1), head);
  const hs = hkdf(crypto, dh, th1, { info: 'cdr1 hs', length: 64 });
  const keys = partKeys(crypto, hs, th1, 'r');
  const plaintext = crypto.open(keys.seal, 0n, sealed);
  if (plaintext === null) throw refusal('the answer of the master does not open');
  const certificateBytes = plaintext.slice(0, CERTIFICATE_LENGTH);
  const certificate = checkCertificate(side, certificateBytes);

  const [signature, finish] = [plaintext.slice(136, 200), plaintext.slice(200)];
  const th2 = mix(crypto, th1, certificateBytes);
  const signed = signedText('CDR1 master auth v1', th2);
  if (!verifies(crypto, signed, signature, certificate.identityKey))
    throw refusal('the master does not hold the key that its certificate names');
  const th3 = mix(crypto, th2, signature);
  if (!areEqual(crypto.hmacSha512(keys.finish, th3), finish))
    throw refusal('the two sides have not seen the same messages');
  erase(dh, keys.seal, keys.finish);
  return { certificate, hs, th4: mix(crypto, th3, finish) };
}

function checkCertificate(side: MinionSide, bytes: Uint8Array): Certificate {
  const certificate = readCertificate(bytes);
  if (side.pin !== null && !hasFingerprint(side.crypto, certificate.rootKey, side.pin))
    throw refusal('the master has another root key than the pinned one');
  if (!isSignedByRoot(side.crypto, bytes))
    throw refusal('the root key has not signed the certificate of the master');
  if (certificate.serial < side.minimumSerial)
    throw refusal(
      `the certificate of the master has serial ${certificate.serial}, and ${side.minimumSerial} has been seen`,
    );
  return certificate;
}

function proveMinion(
  side: MinionSide,
  { hs, th4 }: CheckedMaster,
): { readonly m3: Uint8Array; readonly th7: Uint8Array } {
  const { crypto, id, identity, join = null } = side;
  const keys = partKeys(crypto, hs, th4, 'i');
  const tokenId = join?.tokenId ?? null;
  const bytes = encodeIdentity({ id, publicKey: identity.publicKey, tokenId });
  const th5 = mix(crypto, th4, bytes);
  const signature = crypto.sign(signedText('CDR1 minion auth v1', th5), identity);
  const th6 = mix(crypto, th5, signature);
  const finish = crypto.hmacSha512(keys.finish, th6);
  const th7 = mix(crypto, th6, finish);
  const proof = join === null ? [] : [joinProof(crypto, crypto.sha256(join.secret), th7)];
  const m3 = encodeM3(crypto.seal(keys.seal, 0n, concat(bytes, signature, finish, ...proof)));
  erase(keys.seal, keys.finish);
  return { m3, th7 };
}

/** Proof of knowing a token's secret, which the master only holds hashed. */
export function joinProof(crypto: Crypto, secretHash: Uint8Array, th7: Uint8Array): Uint8Array {
  return crypto.hmacSha512(secretHash, concat(utf8('CDR1 join v1\0'), th7));
}
