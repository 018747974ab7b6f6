import { HANDSHAKE_LIMITS } from '../../protocol/handshake.ts';

export interface AdmissionLimits {
  readonly inFlight: number;
  readonly inFlightPerAddress: number;
  readonly perAddressPerSecond: number;
}

/** Bounds what connections can cost before it is known who they are. */
export interface Admission {
  /** `null`: turn it away. Otherwise what is to be called, once, when its handshake has ended. */
  enter(address: string): (() => void) | null;
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
  const underWay = new Map<string, number>();
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

  function count(network: string, change: 1 | -1): void {
    inFlight += change;
    const own = (underWay.get(network) ?? 0) + change;
    if (own === 0) underWay.delete(network);
    else underWay.set(network, own);
  }

  return {
    enter(address) {
      const network = networkOf(address);
      const isFull = inFlight >= limits.inFlight;
      if (isFull || (underWay.get(network) ?? 0) >= limits.inFlightPerAddress) return null;
      if (!take(network)) return null;
      count(network, 1);
      return () => count(network, -1);
    },
  };
}
