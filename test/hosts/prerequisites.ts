import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { join, dirname } from 'node:path';
import { run, SYSTEM_PATH } from './command.ts';
import type { Argv } from './command.ts';
import { masquerade } from './network.ts';
import { cacheDirectory } from './paths.ts';
import { readSurroundings } from './surroundings.ts';

/** One thing this machine lacks for test hosts. */
export interface Missing {
  readonly what: string;
  /** The Debian package that brings it; `null` if no package does. */
  readonly debianPackage: string | null;
}

const COMMANDS: Readonly<Record<string, string>> = {
  'apt-config': 'apt',
  chroot: 'coreutils',
  ip: 'iproute2',
  mmdebstrap: 'mmdebstrap',
  mount: 'mount',
  nft: 'nftables',
  nsenter: 'util-linux',
  'systemd-nspawn': 'systemd-container',
  tar: 'tar',
  umount: 'mount',
  unshare: 'util-linux',
};
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const NEEDED_BYTES = 3e9;

/** What is tried, each in namespaces of its own that end with it. */
const TRIALS: readonly { readonly what: string; readonly argv: Argv }[] = [
  {
    what: 'namespaces (mount, process, network, host name, cgroup)',
    argv: ['unshare', '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--fork', 'true'],
  },
  {
    what: 'network bridges',
    argv: ['unshare', '--net', 'ip', 'link', 'add', 'name', 'trial0', 'type', 'bridge'],
  },
  {
    what: 'virtual network cables (veth)',
    argv: [
      'unshare',
      '--net',
      'ip',
      'link',
      'add',
      'name',
      'trial0',
      'type',
      'veth',
      'peer',
      'name',
      'trial1',
    ],
  },
  {
    what: 'masquerading with nftables',
    argv: ['unshare', '--net', 'nft', masquerade('trial', '10.0.0')],
  },
];

/** Everything this machine lacks, at once. Changes nothing. */
export async function checkPrerequisites(): Promise<Missing[]> {
  const missing = [...missingBasics(), ...missingPrograms()];
  if (missing.length > 0) return [...missing, ...missingSpace()];
  return [...(await failedTrials()), ...missingSpace(), ...missingResolver()];
}

/** Installs with apt what Debian packages can bring; says so. Throws HostError if apt cannot. */
export async function installPrerequisites(log: (line: string) => void): Promise<void> {
  const packages = (await checkPrerequisites()).flatMap(({ debianPackage }) => debianPackage ?? []);
  if (packages.length === 0) return;
  const names = [...new Set(packages)];
  log(`installing on this machine, with apt: ${names.join(' ')}`);
  const apt: Argv = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '--quiet', '--yes'];
  await run([...apt, 'update']);
  await run([...apt, '--no-install-recommends', 'install', ...names]);
}

/** One line for people about one thing that is missing. */
export function describeMissing({ what, debianPackage }: Missing): string {
  return debianPackage === null ? what : `${what} (Debian package ${debianPackage})`;
}

function missingBasics(): Missing[] {
  const isRoot = process.getuid?.() === 0;
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const isDebian = /^ID(_LIKE)?=.*debian/m.test(release);
  return [
    ...(isRoot ? [] : [{ what: 'root: run this as root', debianPackage: null }]),
    ...(isDebian
      ? []
      : [
          {
            what: 'Debian, or something made from it, as the operating system',
            debianPackage: null,
          },
        ]),
  ];
}

function missingPrograms(): Missing[] {
  const programs = Object.entries(COMMANDS).filter(([command]) => !isInstalled(command));
  const keyring = existsSync(KEYRING)
    ? []
    : [{ what: KEYRING, debianPackage: 'debian-archive-keyring' }];
  return [
    ...programs.map(([what, debianPackage]) => ({ what: `the program ${what}`, debianPackage })),
    ...keyring,
  ];
}

function isInstalled(command: string): boolean {
  const directories = SYSTEM_PATH.split(':');
  return directories.some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false; // not here, or not a program: the next directory may have it
    }
  });
}

function missingSpace(): Missing[] {
  const directory = cacheDirectory();
  const { bavail, bsize } = statfsSync(nearestExisting(directory));
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return [];
  const gigabytes = (free / 1e9).toFixed(1);
  return [
    {
      what: `3 GB of disk space in ${directory} (${gigabytes} GB are free; CONDUCTOR_TEST_CACHE names another place)`,
      debianPackage: null,
    },
  ];
}

function missingResolver(): Missing[] {
  if (readSurroundings().nameServers.length > 0) return [];
  return [
    { what: 'a name server in /etc/resolv.conf that is not on loopback', debianPackage: null },
  ];
}

async function failedTrials(): Promise<Missing[]> {
  const failed: Missing[] = [];
  for (const { what, argv } of TRIALS) {
    const { exitCode } = await run(argv, { allowFailure: true });
    if (exitCode !== 0) failed.push({ what: `${what}: the kernel refuses`, debianPackage: null });
  }
  return [...failed, ...(await failedOverlay())];
}

/** Whether the file system of the cache can carry the upper side of an overlay (another overlay, for one, cannot). */
async function failedOverlay(): Promise<Missing[]> {
  const directory = nearestExisting(cacheDirectory());
  if (await canCarryOverlay(directory)) return [];
  return [
    {
      what: `overlayfs on ${directory} (CONDUCTOR_TEST_CACHE names another place)`,
      debianPackage: null,
    },
  ];
}

async function canCarryOverlay(directory: string): Promise<boolean> {
  const made = await run(['mktemp', '--directory', `--tmpdir=${directory}`], {
    allowFailure: true,
  });
  if (made.exitCode !== 0) return false;
  const layer = (name: string): string => join(made.stdout.trimEnd(), name);
  for (const name of ['lower', 'upper', 'work', 'root']) mkdirSync(layer(name));
  const options = `lowerdir=${layer('lower')},upperdir=${layer('upper')},workdir=${layer('work')}`;
  const mount: Argv = ['mount', '-t', 'overlay', '-o', options, 'overlay', layer('root')];
  const { exitCode } = await run(['unshare', '--mount', ...mount], { allowFailure: true });
  rmSync(layer('.'), { recursive: true });
  return exitCode === 0;
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}
