import type { Host } from '../../hosts/host.ts';
import type { Case, NamedCase } from './case.ts';
import { LABORATORY } from './places.ts';

/**
 * A Linux kernel of its own for what the machine's kernel cannot do. Hosts share the machine's kernel; Debian also has one
 * that runs as a program, with all its modules. It starts the host's own systemd, over a read-only view of the host's disk:
 * what is written there is forgotten afterwards. It has no network.
 */

/** What that kernel has. */
const FEATURES: readonly Case['requires'][number][] = ['device-mapper', 'kernel-modules'];

const PLACE = `${LABORATORY}/kernel`;
const MODULES = '/usr/lib/uml/modules';
const BOOTED_MS = 900_000;

/** Whether a case that a host cannot carry out may be carried out there. */
export function fitsOwnKernel({ case: { requires } }: NamedCase): boolean {
  return requires.some((feature) => FEATURES.includes(feature));
}

const UNIT = `[Unit]
Description=Runs cases, then turns this system off
[Service]
Type=oneshot
ExecStartPre=/usr/sbin/modprobe --all dm-mod dm-crypt loop xts
ExecStartPre=/bin/mount -t hostfs -o ${PLACE}/found hostfs /mnt
ExecStart=/bin/bash -c "${LABORATORY}/node ${LABORATORY}/driver.mjs >/mnt/found.jsonl 2>/mnt/errors.txt"
ExecStopPost=/bin/systemctl --no-block poweroff --force
StandardInput=file:${PLACE}/order.json
TimeoutStartSec=infinity
`;

/** Its first program. What is read-only need not be watched: `/usr`, nine of ten files, is a file system of its own. */
const INIT = `#!/bin/bash
set -e
mount -t proc proc /proc
insmod "${MODULES}/$(uname --kernel-release)/kernel/fs/overlayfs/overlay.ko"
mount -t tmpfs -o size=700M,mode=755 tmpfs /run
mkdir /run/upper /run/work /run/root
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay /run/root
mount --bind /usr /run/root/usr
umount /proc
exec switch_root /run/root /lib/systemd/systemd --unit=contract.service --show-status=no --log-target=console
`;

const BOOT = [
  'linux.uml',
  'mem=1G',
  'root=/dev/root',
  'rootfstype=hostfs',
  'rootflags=/',
  'ro',
  `init=${PLACE}/init`,
  'con=null',
  'con0=null,fd:1',
  'quiet',
] as const;

/** Runs cases there with the driver that the host already has; answers with what it found, a line each. */
export async function runInOwnKernel(host: Host, cases: readonly NamedCase[]): Promise<string> {
  await host.exec(['ln', '--symbolic', '--force', '--no-dereference', MODULES, '/usr/lib/modules']);
  await host.exec(['mkdir', '--parents', `${PLACE}/found`]);
  await host.write('/etc/systemd/system/contract.service', UNIT);
  await host.write(`${PLACE}/init`, INIT, 0o755);
  await host.write(`${PLACE}/order.json`, JSON.stringify(cases));
  try {
    const { stdout } = await host.exec(BOOT, { timeoutMs: BOOTED_MS, allowFailure: true });
    const found = await textOf(host, 'found.jsonl');
    if (found !== '') return found;
    const errors = await textOf(host, 'errors.txt');
    throw new Error(`in a kernel of its own: ${`${stdout}\n${errors}`.slice(-2000)}`);
  } finally {
    await host.exec(['rm', '--recursive', PLACE, '/etc/systemd/system/contract.service']);
  }
}

/** What the driver has written there; nothing if that system ended before it came to that. */
async function textOf(host: Host, name: string): Promise<string> {
  const path = `${PLACE}/found/${name}`;
  const { exitCode, stdout } = await host.exec(['cat', '--', path], { allowFailure: true });
  return exitCode === 0 ? stdout : '';
}
