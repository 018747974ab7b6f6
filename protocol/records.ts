import { ConductorError } from '../shared/errors.ts';
import type { Crypto } from './crypto.ts';
import { TAG_LENGTH } from './crypto.ts';
import { erase, hkdf } from './key-schedule.ts';

/** The first byte of every record's plaintext. */
export const RECORD = {
  close: 0x00,
  rekey: 0x01,
  heartbeat: 0x02,
  verdict: 0x10,
  chunk: 0x20,
  message: 0x21,
} as const;

export const PLAINTEXT_MAXIMUM = 65_536;

/** When a direction's key has done enough. */
export interface KeyLife {
  readonly records: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

const KEY_LIFE: KeyLife = {
  records: 2 ** 20,
  bytes: 2 ** 30,
  milliseconds: 3_600_000,
};

/** One direction's traffic: keys that follow one another, and a counter that never repeats under one. */
interface Traffic {
  key(): Uint8Array;
  next(): void;
}

function trafficOf(crypto: Crypto, first: Uint8Array): Traffic {
  const derive = (info: string, length: number) =>
    hkdf(crypto, secret, new Uint8Array(), { info, length });
  let secret = first;
  let key = derive('cdr1 key', 32);
  return {
    key: () => key,
    next: () => {
      const following = derive('cdr1 next', 64);
      erase(secret, key);
      secret = following;
      key = derive('cdr1 key', 32);
    },
  };
}

export interface Sealer {
  /** The records to send: one, after a REKEY where the key has done enough. */
  seal(plaintext: Uint8Array): Uint8Array[];
}

/** Seals what this side sends, with the secret of its direction. */
export function createSealer(
  crypto: Crypto,
  secret: Uint8Array,
  { life = KEY_LIFE, now = performance.now.bind(performance) } = {},
): Sealer {
  const traffic = trafficOf(crypto, secret);
  let used = { records: 0, bytes: 0, since: now() };
  const sealOne = (plaintext: Uint8Array): Uint8Array => {
    const sealed = crypto.seal(traffic.key(), BigInt(used.records), plaintext);
    used = { ...used, records: used.records + 1, bytes: used.bytes + sealed.length };
    return sealed;
  };
  const isWorn = () =>
    used.records >= life.records ||
    used.bytes >= life.bytes ||
    now() - used.since >= life.milliseconds;
  return {
    seal: (plaintext) => {
      if (plaintext.length > PLAINTEXT_MAXIMUM)
        throw new RangeError(`a record of ${plaintext.length} bytes is too large to seal`);
      if (!isWorn()) return [sealOne(plaintext)];
      const rekey = sealOne(Uint8Array.of(RECORD.rekey));
      traffic.next();
      used = { records: 0, bytes: 0, since: now() };
      return [rekey, sealOne(plaintext)];
    },
  };
}

export interface Opener {
  /** The plaintext of the next record; `null` if it was a REKEY. Throws MESSAGE_INVALID. */
  open(record: Uint8Array): Uint8Array | null;
}

/** Opens what the other side sends: only the next record, only once. */
export function createOpener(crypto: Crypto, secret: Uint8Array, { life = KEY_LIFE } = {}): Opener {
  const traffic = trafficOf(crypto, secret);
  let counter = 0;
  return {
    open: (record) => {
      if (record.length > PLAINTEXT_MAXIMUM + TAG_LENGTH) throw unreadable('it is too large');
      // The one more is the REKEY itself; a peer that goes on without one wears its key out.
      if (counter > life.records) throw unreadable('its key should have been replaced');
      const plaintext = crypto.open(traffic.key(), BigInt(counter), record);
      if (plaintext === null || plaintext.length === 0) throw unreadable('it does not open');
      counter += 1;
      if (plaintext[0] !== RECORD.rekey) return plaintext;
      if (plaintext.length > 1) throw unreadable('a REKEY carries something');
      traffic.next();
      counter = 0;
      return null;
    },
  };
}

function unreadable(problem: string): ConductorError {
  return new ConductorError('MESSAGE_INVALID', `Cannot read a record: ${problem}`);
}
