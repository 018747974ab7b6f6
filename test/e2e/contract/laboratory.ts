import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import type { Host } from '../../hosts/host.ts';
import type { NamedCase } from './case.ts';
import { findingSchema } from './finding.ts';
import type { Finding } from './finding.ts';
import { fitsOwnKernel, runInOwnKernel } from './own-kernel.ts';
import { LABORATORY } from './places.ts';

/** A host that cases are run on. */
export interface Laboratory {
  /** Runs these cases, one after the other; tells what it finds as it finds it. */
  run(cases: readonly NamedCase[], tell: (finding: Finding) => void): Promise<void>;
}

const TYPE_MS = 900_000;

/** What would write or change the host by itself while somebody looks. */
const QUIET = [
  'systemctl mask --now apt-daily.timer apt-daily-upgrade.timer',
  "systemctl stop --all '*.timer'",
  'systemctl stop unattended-upgrades.service || true',
  // They end by themselves after a while, and would take directories of their own in /tmp away.
  'for one in hostnamed localed timedated; do',
  '  mkdir -p "/run/systemd/system/systemd-$one.service.d"',
  '  printf "[Service]\\nPrivateTmp=no\\n" >"/run/systemd/system/systemd-$one.service.d/quiet.conf"',
  'done',
  'systemctl daemon-reload',
].join('\n');

/** Puts the engine, the state types of an entry point and this process's own node on a host. */
export async function openLaboratory(host: Host, entry: string): Promise<Laboratory> {
  const directory = mkdtempSync(join(tmpdir(), 'contract-'));
  const outfile = join(directory, 'driver.mjs');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minifySyntax: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  await host.copyIn(outfile, `${LABORATORY}/driver.mjs`);
  await host.copyIn(process.execPath, `${LABORATORY}/node`);
  rmSync(directory, { recursive: true });
  await host.exec(['/bin/bash', '-ec', QUIET]);

  return {
    async run(cases, tell) {
      const [elsewhere, here] = partition(cases, fitsOwnKernel);
      if (here.some(({ type }) => type.startsWith('npm.'))) await handInNpm(host);
      if (here.length > 0) {
        const onOutput = linesInto((line) => tell(findingSchema.parse(JSON.parse(line))));
        const input = JSON.stringify(here);
        const argv = [`${LABORATORY}/node`, `${LABORATORY}/driver.mjs`] as const;
        await host.exec(argv, { input, timeoutMs: TYPE_MS, onOutput });
      }
      if (elsewhere.length === 0) return;
      const found = await runInOwnKernel(host, elsewhere);
      linesInto((line) => tell(findingSchema.parse(JSON.parse(line))))(found);
    },
  };
}

/** The npm that belongs to this process's own node: Debian's has half a thousand packages around it. */
async function handInNpm(host: Host): Promise<void> {
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm');
  await host.copyIn(npm, `${LABORATORY}/npm`);
}

function partition<T>(all: readonly T[], belongs: (one: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter((one) => !belongs(one))];
}

function linesInto(take: (line: string) => void): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    // What a driver that breaks down says besides is in the error of `exec`.
    for (const line of lines) if (line.startsWith('{"event":')) take(line);
  };
}
