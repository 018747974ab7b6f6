/** SHA-256 (FIPS 180-4) beside the daemons' own, which is OpenSSL's. */
export function sha256(message: Uint8Array): Uint8Array {
  const state = Uint32Array.from(INITIAL);
  const padded = pad(message);
  for (let offset = 0; offset < padded.byteLength; offset += 64) {
    compress(state, new DataView(padded.buffer, offset, 64));
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (const [index, word] of state.entries()) digest.setUint32(index * 4, word);
  return new Uint8Array(digest.buffer);
}

const PRIMES = firstPrimes(64);
const INITIAL = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

/** The first 32 bits of a number's fractional part. */
function fraction(value: number): number {
  return ((value % 1) * 2 ** 32) >>> 0;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

function pad(message: Uint8Array): DataView<ArrayBuffer> {
  const length = Math.ceil((message.length + 9) / 64) * 64;
  const padded = new Uint8Array(length);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(length - 8, BigInt(message.length) * 8n);
  return view;
}

/** The state is [a, b, c, d, e, f, g, h] of the standard. */
function compress(state: Uint32Array, block: DataView): void {
  const work = Uint32Array.from(state);
  const at = (index: number): number => work[index] ?? 0;
  for (const [index, word] of scheduleOf(block).entries()) {
    const choice = (at(4) & at(5)) ^ (~at(4) & at(6));
    const majority = (at(0) & at(1)) ^ (at(0) & at(2)) ^ (at(1) & at(2));
    const high = turn(at(4), 6) ^ turn(at(4), 11) ^ turn(at(4), 25);
    const low = turn(at(0), 2) ^ turn(at(0), 13) ^ turn(at(0), 22);
    const first = at(7) + high + choice + (CONSTANTS[index] ?? 0) + word;
    work.copyWithin(1, 0, 7);
    work[4] = at(4) + first;
    work[0] = first + low + majority;
  }
  for (const [index, value] of work.entries()) state[index] = (state[index] ?? 0) + value;
}

function scheduleOf(block: DataView): Int32Array {
  const words = new Int32Array(64);
  for (let index = 0; index < 64; index += 1) {
    if (index < 16) {
      words[index] = block.getInt32(index * 4);
      continue;
    }
    const [early, late] = [words[index - 15] ?? 0, words[index - 2] ?? 0];
    const low = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const high = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    words[index] = (words[index - 16] ?? 0) + low + (words[index - 7] ?? 0) + high;
  }
  return words;
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
