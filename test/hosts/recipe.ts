import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineSources, SUITE } from './apt-sources.ts';
import type { AptSource } from './apt-sources.ts';
import { HostError } from './host-error.ts';
import { imagesDirectory } from './paths.ts';
import type { Surroundings } from './surroundings.ts';

/** `base`: a bare Debian with systemd. `full`: what servers of web applications need is installed as well. */
export type ImageName = 'base' | 'full';

/** Changing how an image is made without changing what is in its recipe needs a new number here. */
const RECIPE_VERSION = 1;

export const BASE_PACKAGES = [
  'adduser',
  'ca-certificates',
  'dbus',
  'iproute2',
  'iputils-ping',
  'libpam-systemd',
  'login',
  'netbase',
  'passwd',
  'procps',
  'systemd',
  'systemd-sysv',
  'tzdata',
];

export const FULL_PACKAGES = [
  'acl',
  'busybox-static',
  'cron',
  'cryptsetup-bin',
  'curl',
  'git',
  'gunicorn',
  'kmod',
  'locales',
  'logrotate',
  'mariadb-server',
  'nftables',
  'nginx',
  'openssh-client',
  'openssh-server',
  'podman',
  'postgresql',
  'python3-django',
  'python3-mysqldb',
  'python3-pip',
  'python3-psycopg2',
  'python3-venv',
  'redis-server',
  'rsync',
  'strace',
  'sudo',
  'supervisor',
  'unattended-upgrades',
  'unzip',
  'user-mode-linux',
  'xz-utils',
];

/** What Debian would start at boot and cannot: containers need more of a kernel than a test host has. */
export const NOT_AT_BOOT = [
  'podman-auto-update.service',
  'podman-auto-update.timer',
  'podman-restart.service',
  'podman.service',
  'podman.socket',
];

/** Where the base image made by this recipe belongs: another recipe, or another machine's certificates, another place. */
export function basePath(surroundings: Surroundings): string {
  return imagePath('base', [BASE_PACKAGES, debianSources(), fingerprint(surroundings)]);
}

/** Where the full image over that base belongs. */
export function fullPath(base: string): string {
  return imagePath('full', [FULL_PACKAGES, NOT_AT_BOOT, base]);
}

function imagePath(name: ImageName, recipe: unknown): string {
  const text = JSON.stringify([RECIPE_VERSION, name, SUITE, recipe]);
  return join(
    imagesDirectory(),
    `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`,
  );
}

/** The mirrors an image is made from. */
export function debianSources(): AptSource[] {
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? SUITE;
  const found = machineSources(codename);
  if (!found.some((source) => source.suite === SUITE)) {
    throw new HostError(
      `Cannot make an image: the apt sources of this machine name no mirror of "${codename}"`,
    );
  }
  return found;
}

function fingerprint({ certificates, aptProxies }: Surroundings): string {
  return createHash('sha256').update(certificates).update(aptProxies).digest('hex');
}
