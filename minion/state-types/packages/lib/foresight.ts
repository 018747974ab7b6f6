import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView, Output } from '../../../host/host.ts';
import { sharedOfApt } from '../../lib/packages.ts';
import type { AskApt } from '../../lib/packages.ts';
import { wasInterrupted } from './apt.ts';
import { SIMULATE, parseSimulation } from './upgrades.ts';

/** What apt-get would do: which packages it would take away, or why it would do nothing at all. */
export interface Foresight {
  /** By name, the version that they have. */
  readonly going: Readonly<Record<string, string>>;
  /** `null` unless it is sure that it would fail. */
  readonly refusal: string | null;
  readonly output: string;
}

const STATUS = '/var/lib/dpkg/status';
const NOTHING: Foresight = { going: {}, refusal: null, output: '' };

/**
 * Asks apt-get what one transaction would do, of the same words; nothing is known while an interrupted dpkg is yet to
 * be mended.
 */
export async function foresee(words: readonly string[], host: HostView): Promise<Foresight> {
  // Where dpkg has never installed anything there is nothing to lose.
  if ((await host.status(STATUS)) === null) return NOTHING;
  return sharedOfApt(`would ${words.join(' ')}`, host, async (ask) =>
    (await wasInterrupted(host)) ? NOTHING : simulate(words, ask),
  );
}

async function simulate(words: readonly string[], ask: AskApt): Promise<Foresight> {
  const output = await ask([...SIMULATE, '--quiet=1', '--assume-yes', ...words]);
  if (output.exitCode === 0) return { ...NOTHING, going: goingIn(output.stdout) };
  const text = `${output.stdout}\n${output.stderr}`.trim();
  return { going: {}, refusal: refusalIn(output), output: text };
}

function goingIn(text: string): Readonly<Record<string, string>> {
  const gone = parseSimulation(text).flatMap(({ name, from, to }) =>
    to === null && from !== null ? [[name, from] as const] : [],
  );
  return Object.fromEntries(gone);
}

/** Complaints that do not come from looking without the rights of root. */
const SURE =
  /^E: (?:Held packages were changed|Essential packages were removed|Unable to correct problems|Error, pkgProblemResolver::Resolve|Version '.*' for '.*' was not found)/u;

/** Why it fails; `null` if that is not sure. */
function refusalIn({ stdout, stderr }: Pick<Output, 'stdout' | 'stderr'>): string | null {
  const complaints = stderr.split('\n').filter((line) => line.startsWith('E: '));
  if (complaints.length === 0 || !complaints.every((line) => SURE.test(line))) return null;
  const reasons = [
    ...listed(
      stdout,
      /^The following held packages will be changed:\n/mu,
      'held (pkg.unheld lifts that)',
    ),
    ...listed(stdout, /^WARNING: The following essential .*\n.*\n/mu, 'essential'),
    ...below(stdout, /^The following packages have unmet dependencies:\n/mu),
  ];
  const words = reasons.length > 0 ? reasons : complaints.map((line) => line.slice('E: '.length));
  return words.join('; ');
}

function listed(text: string, heading: RegExp, what: string): string[] {
  const names = below(text, heading).flatMap((line) =>
    line.replaceAll(/\(.*?\)/gu, '').split(/\s+/u),
  );
  return names.filter((name) => name !== '').map((name) => `"${name}" is ${what}`);
}

/** The lines below a heading, which are indented. */
function below(text: string, heading: RegExp): string[] {
  const start = heading.exec(text);
  if (start === null) return [];
  const lines = text.slice(start.index + start[0].length).split('\n');
  const end = lines.findIndex((line) => !line.startsWith(' '));
  return lines.slice(0, end === -1 ? undefined : end).map((line) => line.trim());
}

/** Refuses what apt-get would not do. */
export function refuse(
  verb: 'install' | 'remove',
  names: readonly string[],
  { refusal, output }: Foresight,
): void {
  if (refusal === null) return;
  throw new ConductorError('STATE_REFUSED', `Cannot ${verb} "${names.join('", "')}": ${refusal}`, {
    output,
    // What is in the way of a removal only another state of packages takes away; an installation may wait for a source.
    ...(verb === 'remove' ? { lacks: [] } : {}),
  });
}
