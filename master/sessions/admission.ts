import { HANDSHAKE_LIMITS } from '../../protocol/handshake.ts';

export interface AdmissionLimits {
  readonly inFlight: number;
  readonly perAddressPerSecond: number;
}

/** Bounds what connections can cost before it is known who they are. */
export interface Admission {
  /** `false`: turn it away. Otherwise `done` is owed when its handshake has ended. */
  enter(address: string): boolean;
  done(): void;
}

/** So many addresses are remembered; with more than that at once, the oldest start afresh. */
const ADDRESSES = 20_000;

/** Whoever has one IPv6 address has the 2^64 around it: they count as one. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = [], tail = []] = address
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const missing = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...missing, ...tail].slice(0, 4).join(':');
}

export function createAdmission(
  now: () => number,
  limits: AdmissionLimits = HANDSHAKE_LIMITS,
): Admission {
  const buckets = new Map<string, { tokens: number; at: number }>();
  let inFlight = 0;

  /** A token bucket: one second's worth at once, then as many a second. */
  function take(address: string): boolean {
    const { perAddressPerSecond: rate } = limits;
    const bucket = buckets.get(address) ?? { tokens: rate, at: now() };
    const tokens = Math.min(rate, bucket.tokens + ((now() - bucket.at) / 1000) * rate);
    buckets.delete(address);
    buckets.set(address, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now() });
    const [oldest] = buckets.keys();
    if (buckets.size > ADDRESSES && oldest !== undefined) buckets.delete(oldest);
    return tokens >= 1;
  }

  return {
    enter(address) {
      if (inFlight >= limits.inFlight || !take(networkOf(address))) return false;
      inFlight += 1;
      return true;
    },
    done() {
      inFlight -= 1;
    },
  };
}
