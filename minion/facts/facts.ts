import { readFileSync, readdirSync } from 'node:fs';
import { arch, availableParallelism, hostname, networkInterfaces, release } from 'node:os';
import { systemCode } from '../../shared/errors.ts';
import { addressesOf } from './addresses.ts';
import { parseMounts, readDisks } from './disks.ts';
import { fqdnOf } from './fqdn.ts';
import { listeningPorts } from './listening.ts';
import { parseMeminfo } from './memory.ts';
import { parseOsRelease } from './os-release.ts';
import { pythonVersions } from './python.ts';
import { readVirtual } from './virtual.ts';

/**
 * Reads what a minion knows about its machine, in a few milliseconds; nothing is asked over the
 * network. States and targets see it; secrets never follow it.
 */
export async function readFacts() {
  const name = hostname();
  return {
    ...parseOsRelease(read('/etc/os-release')),
    architecture: architecture(arch()),
    kernel: release(),
    ...(await readVirtual()),
    cpus: availableParallelism(),
    ...parseMeminfo(read('/proc/meminfo')),
    disks: readDisks(parseMounts(read('/proc/mounts'))),
    ...addressesOf(networkInterfaces()),
    hostname: name.split('.')[0] ?? name,
    fqdn: fqdnOf(name, read('/etc/hosts')),
    python: pythonVersions(['/usr/bin', '/usr/local/bin'].flatMap(programsIn)),
    init: read('/proc/1/comm').trim(),
    listening: [...listeningPorts()].toSorted((a, b) => a - b),
  };
}

/** As Debian calls it. */
function architecture(node: string): string {
  return { x64: 'amd64', ia32: 'i386', arm: 'armhf' }[node] ?? node;
}

/** What a host does not have says nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function programsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
