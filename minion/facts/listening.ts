import { readFileSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';

const LISTEN = '0A';

/** Ports that something accepts TCP connections on, from `/proc/net/tcp` or `tcp6`. */
export function parseListening(text: string): readonly number[] {
  const ports = text.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/u);
    const [, hex] = /^[0-9A-F]+:([0-9A-F]{4})$/u.exec(local) ?? [];
    return state === LISTEN && hex !== undefined ? [Number.parseInt(hex, 16)] : [];
  });
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

/** The ports of this host that are in use now, by whichever protocol. */
export function listeningPorts(): ReadonlySet<number> {
  return new Set(['tcp', 'tcp6'].flatMap((name) => parseListening(readTable(name))));
}

/** A kernel without IPv6 has no such table. */
function readTable(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}
