import type { Argv, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { UNCACHED, askerOfApt } from '../../lib/packages.ts';

/** One package that an upgrade would change. */
export interface Upgrade {
  readonly name: string;
  /** `null` is not installed yet. */
  readonly from: string | null;
  /** `null` is to be removed. */
  readonly to: string | null;
}

export interface UpgradeArgs {
  /** Only these; none is all. */
  readonly pkgs: readonly string[];
  /** Whether packages may be added and removed. */
  readonly mayChangeSet: boolean;
}

/** Needs no lock, and leaves no cache behind. */
export const SIMULATE: Argv = [
  'apt-get',
  '--simulate',
  UNCACHED,
  '--option=APT::Get::Show-User-Simulation-Note=false',
  '--option=Debug::NoLocking=true',
];

/** What an upgrade would change: one simulation a run, which writes nothing. */
export async function readUpgrades(
  { pkgs, mayChangeSet }: UpgradeArgs,
  host: HostView,
): Promise<readonly Upgrade[]> {
  if (pkgs.length > 0) return simulate(['install', '--only-upgrade', '--', ...pkgs], host);
  const topic = mayChangeSet ? 'packages to upgrade' : 'packages to upgrade in place';
  return host.shared(topic, () => simulate([mayChangeSet ? 'dist-upgrade' : 'upgrade'], host));
}

async function simulate(words: readonly string[], host: HostView): Promise<readonly Upgrade[]> {
  const argv: Argv = [...SIMULATE, '--quiet=2', ...words];
  const output = await (await askerOfApt(host))(argv);
  if (output.exitCode !== 0) throw failed('foresee an upgrade', argv, output);
  return parseSimulation(output.stdout);
}

/** `Inst nginx [1.22.1-9] (1.22.1-9+deb12u1 Debian:12 [amd64])`, `Remv old [1.0]`, `Purg older [0.9]` */
export function parseSimulation(text: string): readonly Upgrade[] {
  return text.split('\n').flatMap((line): Upgrade[] => {
    const match =
      /^(?<verb>Inst|Remv|Purg) (?<name>\S+)(?: \[(?<from>[^\]]+)\])?(?: \((?<to>\S+) )?/u;
    const { verb, name, from, to } = match.exec(line)?.groups ?? {};
    if (name === undefined) return [];
    if (verb !== 'Inst') return [{ name, from: from ?? null, to: null }];
    return [{ name, from: from ?? null, to: to ?? null }];
  });
}
