import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { TreeFile } from '../../../../shared/tree-file.ts';
import type { Argv, Host, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { parentsOf } from '../../lib/resources.ts';
import { refuseOthersProgram } from './others-program.ts';
import { flagsOf, optionsFor, pipCommand, placesOf } from './pip-command.ts';
import { onHost, textOf } from './pip-fields.ts';
import type { PipArgs } from './pip-fields.ts';
import { REQUIREMENTS_SCRIPT } from './requirements-script.ts';

const INSTALL_TIMEOUT_MS = 1_800_000;

/** A Python and what is to be installed for it. */
export interface PipTarget {
  readonly python: string;
  readonly packages: readonly string[];
  readonly args: PipArgs;
}

export interface Environment {
  /** `3.11`. */
  readonly python: string;
  /** Requirements that nothing installed satisfies, in order. */
  readonly missing: readonly string[];
  /** Packages that are asked for and of which the index has a newer version that fits. */
  readonly outdated: readonly string[];
}

const answer = z.strictObject({
  python: z.string(),
  pip: z.boolean(),
  missing: z.array(z.string()),
  outdated: z.array(z.string()),
});

/**
 * What an environment lacks of its requirements and of what they require; `null` if its Python
 * does not run or has no pip. Asks nothing but the environment itself: no network, no change.
 */
export async function inspect(
  host: HostView,
  target: PipTarget,
  latest: Readonly<Record<string, string>> = {},
): Promise<Environment | null> {
  const { python, packages, args } = target;
  await requireFiles(host, args);
  await refuseOthersProgram(python, args, host);
  const asked = {
    files: (args.requirements ?? []).map(askedFile),
    constraints: args.constraints ?? [],
    packages,
    deps: !args.no_deps,
    latest,
  };
  const argv: Argv = [python, '-B', '-c', REQUIREMENTS_SCRIPT];
  const output = await host.query(argv, { ...optionsFor(args), input: JSON.stringify(asked) });
  if (output.exitCode === 0) {
    const { pip, ...environment } = answer.parse(JSON.parse(output.stdout));
    return pip ? environment : null;
  }
  if (
    /^Traceback/mu.test(output.stderr) &&
    !/^(?:ModuleNotFound|Import)Error/mu.test(output.stderr)
  ) {
    throw failed('compare the requirements with what is installed', [python], output);
  }
  return null;
}

function askedFile(file: string | TreeFile): string | { readonly text: string } {
  return typeof file === 'string' ? file : { text: textOf(file) };
}

const newerAnswer = z.array(z.object({ name: z.string(), latest_version: z.string() }));

/** As `inspect`, and asks the index whether there is something newer. */
export async function inspectForUpgrade(
  host: HostView,
  target: PipTarget,
): Promise<Environment | null> {
  const { python, args } = target;
  const environment = await inspect(host, target);
  if (environment === null) return null;
  const words = ['list', '--outdated', '--format=json', ...placesOf(args)];
  const { argv, options } = pipCommand(python, words, args);
  const output = await host.query(argv, { ...options, timeoutMs: INSTALL_TIMEOUT_MS });
  if (output.exitCode !== 0) throw failed('ask which packages are outdated', argv, output);
  const newer = newerAnswer.parse(JSON.parse(output.stdout));
  const latest = Object.fromEntries(newer.map((one) => [one.name, one.latest_version]));
  return inspect(host, target, latest);
}

/** Installs what is missing, in one go. */
export async function install(
  host: Host,
  { python, packages, args }: PipTarget,
  more: readonly string[] = [],
): Promise<void> {
  const words = ['install', ...flagsOf(args), ...more, '--', ...packages];
  const { argv, options } = pipCommand(python, words, args);
  await host.run(argv, { ...options, timeoutMs: INSTALL_TIMEOUT_MS });
}

/** Takes packages away by their names. */
export async function uninstall(
  host: Host,
  python: string,
  names: readonly string[],
  args: PipArgs & { readonly break_system_packages: boolean },
): Promise<void> {
  const anyway = args.break_system_packages ? ['--break-system-packages'] : [];
  const { argv, options } = pipCommand(
    python,
    ['uninstall', '--yes', ...anyway, '--', ...names],
    args,
  );
  await host.run(argv, { ...options, timeoutMs: INSTALL_TIMEOUT_MS });
}

/** What must be there before pip can read its requirements. */
export function pipNeeds(args: PipArgs): string[] {
  const { constraints = [], user } = args;
  const files = [...onHost(args.requirements), ...constraints].flatMap((path) => [
    `path:${path}`,
    ...parentsOf(path),
  ]);
  return [...files, ...(user === undefined ? [] : [`user:${user}`])];
}

/** Throws SOURCE_MISSING unless the requirements and constraints are there. */
export async function requireFiles(host: HostView, args: PipArgs): Promise<void> {
  for (const path of [...onHost(args.requirements), ...(args.constraints ?? [])]) {
    if ((await host.status(path)) !== null) {
      await refuseOthersProgram(path, args, host, `install what "${path}" names`);
      continue;
    }
    throw new ConductorError(
      'SOURCE_MISSING',
      `Cannot read the requirements "${path}": there is no such file`,
      { lacks: [`path:${path}`] },
    );
  }
}
