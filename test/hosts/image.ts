import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sourceLine, SUITE } from './apt-sources.ts';
import { inCgroups, makeGroup, removeGroup } from './cgroups.ts';
import { run } from './command.ts';
import type { Argv } from './command.ts';
import { atExit } from './exit.ts';
import { withLock } from './lock.ts';
import { mountOverlay, removeDirectory, unmountBelow } from './mounts.ts';
import { imagesDirectory, PROPAGATION } from './paths.ts';
import {
  BASE_PACKAGES,
  basePath,
  debianSources,
  FULL_PACKAGES,
  fullPath,
  NOT_AT_BOOT,
} from './recipe.ts';
import type { ImageName } from './recipe.ts';
import { addCertificates, handIn, writeInto } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';

/** Read-only trees, the topmost first, that a host's own tree is laid over. */
export type Layers = readonly string[];

type Log = (line: string) => void;

/** Packages are installed, and what they enable stays enabled, but nothing is started in a tree that is not booted. */
const NO_STARTS = '#!/bin/sh\nexit 101\n';

/** The layers of an image, made first if the cache does not hold them. */
export async function ensureImage(
  name: ImageName,
  surroundings: Surroundings,
  log: Log,
): Promise<Layers> {
  const base = basePath(surroundings);
  await ensure('base', base, log, async (directory) => buildBase(directory, surroundings, log));
  if (name === 'base') return [join(base, 'tree')];
  const full = fullPath(base);
  const below = [join(base, 'tree')];
  await ensure('full', full, log, async (directory) =>
    buildFull(directory, below, surroundings, log),
  );
  return [join(full, 'tree'), ...below];
}

/** Throws away every image. Only while no host stands on one. */
export function removeImages(): void {
  if (!existsSync(imagesDirectory())) return;
  for (const entry of readdirSync(imagesDirectory()))
    removeDirectory(join(imagesDirectory(), entry));
}

async function ensure(
  name: ImageName,
  path: string,
  log: Log,
  build: (directory: string) => Promise<void>,
): Promise<void> {
  if (existsSync(path)) return;
  await withLock(
    `image/${basename(path)}`,
    async () => {
      if (existsSync(path)) return;
      log(`making the ${name} image (once; it is kept in ${imagesDirectory()})`);
      const started = Date.now();
      await buildAside(path, build);
      log(`made the ${name} image in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    },
    () => log(`waiting for the ${name} image, which another process is making`),
  );
}

/** Builds beside the final place and moves the result there in one step, so that nobody ever finds a part of an image. */
async function buildAside(
  path: string,
  build: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = `${path}.making`;
  const discard = (): void => {
    removeGroup(buildGroup(directory));
    removeDirectory(directory);
    removeDirectory(join(PROPAGATION, buildGroup(directory)));
  };
  discard();
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const forget = atExit(discard, { handleSignals: true });
  try {
    await build(directory);
    renameSync(directory, path);
  } finally {
    discard();
    forget();
  }
}

async function buildBase(directory: string, surroundings: Surroundings, log: Log): Promise<void> {
  const tree = join(directory, 'tree');
  const lines = debianSources().map(sourceLine);
  const bootstrap: Argv = [
    'unshare',
    '--mount',
    'mmdebstrap',
    '--variant=minbase',
    `--include=${BASE_PACKAGES.join(',')}`,
    '--skip=cleanup/apt/lists',
    SUITE,
    tree,
    ...lines,
  ];
  await inGroup(directory, bootstrap, log);
  const added = addCertificates(tree, surroundings.certificates);
  log(`  certificates of this machine that Debian does not have: ${added}`);
  await inGroup(directory, ['chroot', tree, 'update-ca-certificates'], log);
  await inGroup(
    directory,
    ['chroot', tree, 'systemctl', '--quiet', 'enable', 'systemd-networkd.service'],
    log,
  );
  for (const path of ['etc/resolv.conf', 'etc/hostname']) rmSync(join(tree, path), { force: true });
}

async function buildFull(
  directory: string,
  below: Layers,
  surroundings: Surroundings,
  log: Log,
): Promise<void> {
  const root = mountOverlay(directory, below);
  handIn(root, surroundings);
  writeInto(root, 'usr/sbin/policy-rc.d', NO_STARTS, 0o755);
  const inside: Argv = [
    'systemd-nspawn',
    '--quiet',
    '--pipe',
    '--register=no',
    '--keep-unit',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    `--directory=${root}`,
    `--machine=${buildGroup(directory)}`,
    '--setenv=DEBIAN_FRONTEND=noninteractive',
  ];
  const install = [
    'apt-get',
    '--yes',
    '--quiet',
    '--no-install-recommends',
    '--option=DPkg::Options::=--force-unsafe-io',
    'install',
    ...FULL_PACKAGES,
  ];
  await inGroup(directory, [...inside, ...install, '--download-only'], log);
  // Apart from this machine's network: a database server looks for a free port while it is being installed.
  await inGroup(directory, [...inside, '--private-network', ...install], log);
  await inGroup(directory, [...inside, 'apt-get', 'clean'], log);
  await inGroup(directory, [...inside, 'systemctl', '--quiet', 'disable', ...NOT_AT_BOOT], log);
  rmSync(join(root, 'usr/sbin/policy-rc.d'));
  unmountBelow(directory);
  renameSync(join(directory, 'upper'), join(directory, 'tree'));
  for (const path of ['work', 'root']) rmSync(join(directory, path), { recursive: true });
}

/** Runs one step of a build where it can be found and killed as a whole. */
async function inGroup(directory: string, argv: Argv, log: Log): Promise<void> {
  const groups = makeGroup(buildGroup(directory));
  let shown = Date.now();
  function onOutput(text: string): void {
    const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
    if (line === '' || Date.now() - shown < 2000) return;
    shown = Date.now();
    log(`  ${line.slice(0, 100)}`);
  }
  await run(inCgroups(groups, argv), { onOutput, title: argv.slice(0, 3).join(' ') });
}

function buildGroup(directory: string): string {
  return `conductor-making-${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`;
}
