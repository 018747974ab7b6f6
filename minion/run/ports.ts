import { createHash } from 'node:crypto';
import { ConductorError } from '../../shared/errors.ts';
import type { Registry } from '../host/registry.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const PORT_RANGE: PortRange = { first: 20_000, last: 29_999 };

/** Under which name the registry remembers the port of a name. */
export function portEntry(name: string): string {
  return `port:${name}`;
}

/**
 * Gives each name a number of its own: the one that the registry remembers, else the first that is
 * free from a place in the range that follows from the name, so that a minion that has lost its
 * registry mostly finds the same again. Never a number that another name has or that something
 * listens on. Remembers nothing by itself.
 */
export function createPortAllocator(
  registry: Pick<Registry, 'recall' | 'entries'>,
  listening: ReadonlySet<number>,
  range: PortRange = PORT_RANGE,
): (name: string) => number {
  const allocated = new Map<string, number>();
  const isTaken = takenNumbers(registry, listening, allocated);

  return (name) => {
    const known = allocated.get(name) ?? remembered(registry, name);
    const port = known ?? firstFree(name, range, isTaken);
    allocated.set(name, port);
    return port;
  };
}

function takenNumbers(
  registry: Pick<Registry, 'entries'>,
  listening: ReadonlySet<number>,
  allocated: ReadonlyMap<string, number>,
): (port: number) => boolean {
  const held = new Set(
    [...registry.entries()]
      .filter(([name]) => name.startsWith(portEntry('')))
      .map(([, value]) => Number(value)),
  );
  return (port) => held.has(port) || listening.has(port) || [...allocated.values()].includes(port);
}

function remembered(registry: Pick<Registry, 'recall'>, name: string): number | null {
  const value = registry.recall(portEntry(name));
  return value !== null && /^[1-9]\d{0,4}$/u.test(value) ? Number(value) : null;
}

function firstFree(name: string, range: PortRange, isTaken: (port: number) => boolean): number {
  const size = range.last - range.first + 1;
  const start = createHash('sha256').update(name).digest().readUInt32BE(0) % size;
  for (let step = 0; step < size; step += 1) {
    const port = range.first + ((start + step) % size);
    if (!isTaken(port)) return port;
  }
  const all = `${range.first}-${range.last}`;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot allocate a port for "${name}": ${all} is used up`,
  );
}
