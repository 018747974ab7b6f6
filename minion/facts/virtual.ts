import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';

export interface Virtual {
  readonly virtual: 'none' | 'vm' | 'container';
  /** Which: `kvm`, `systemd-nspawn`, …; `none` on bare metal. */
  readonly virtualisation: string;
}

const CONTAINERS: ReadonlySet<string> = new Set(
  'openvz lxc lxc-libvirt systemd-nspawn docker podman rkt wsl proot pouch container-other'.split(
    ' ',
  ),
);

/** Sorts the answer of `systemd-detect-virt`. */
export function virtualOf(answer: string): Virtual {
  const virtualisation = answer.trim() === '' ? 'none' : answer.trim();
  if (virtualisation === 'none') return { virtual: 'none', virtualisation };
  return { virtual: CONTAINERS.has(virtualisation) ? 'container' : 'vm', virtualisation };
}

/** Asks systemd, which leaves a note in containers and otherwise has a program to find out. */
export async function readVirtual(): Promise<Virtual> {
  const note = readNote();
  if (note !== null) return virtualOf(note);
  return virtualOf(await detected());
}

/** It exits with 1 on bare metal; where there is no such program, nobody knows better. */
async function detected(): Promise<string> {
  return new Promise((resolve) => {
    execFile('systemd-detect-virt', { timeout: 1000 }, (_error, stdout) => resolve(stdout));
  });
}

function readNote(): string | null {
  try {
    return readFileSync('/run/systemd/container', 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
