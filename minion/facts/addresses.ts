import type { networkInterfaces } from 'node:os';

/** How the host can be reached. */
export interface Addresses {
  /** All of them, IPv4 first; without loopback and link-local ones. */
  readonly addresses: readonly string[];
  /** By interface. */
  readonly interfaces: Readonly<Record<string, readonly string[]>>;
}

/** Sorts what the system says about its interfaces. */
export function addressesOf(found: ReturnType<typeof networkInterfaces>): Addresses {
  const interfaces: Record<string, readonly string[]> = {};
  for (const [name, entries = []] of Object.entries(found).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    const usable = entries.filter(
      ({ internal, address }) =>
        !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'),
    );
    if (usable.length > 0) interfaces[name] = usable.map(({ address }) => address).toSorted();
  }
  const all = [...new Set(Object.values(interfaces).flat())];
  return { addresses: [...all.filter(isVersion4), ...all.filter(isVersion6)], interfaces };
}

function isVersion4(address: string): boolean {
  return !isVersion6(address);
}

function isVersion6(address: string): boolean {
  return address.includes(':');
}
