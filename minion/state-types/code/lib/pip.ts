import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, CommandOptions, Host, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { absolutePath, accountName, environment } from '../../lib/fields.ts';
import { parentsOf } from '../../lib/resources.ts';
import { REQUIREMENTS_SCRIPT } from './requirements-script.ts';

const INSTALL_TIMEOUT_MS = 1_800_000;

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item.transform((single) => [single]), z.array(item)]);
const paths = oneOrMore(absolutePath);
const requirement = z
  .string()
  .regex(/^(?!-)[^\r\n\0]+$/u, { error: 'expected a requirement such as Django>=4.2,<5' });
/** An address that may hold credentials. */
const index = z.url({ protocol: /^https?$/u });

/** Arguments about what to install and whence, as `virtualenv.managed` and `pip.installed` take them. */
export const pipFields = {
  requirements: paths
    .exactOptional()
    .describe('Requirement files on the host, one or a list; files that they include count too'),
  constraints: paths.exactOptional().describe('Constraint files on the host, one or a list'),
  user: accountName
    .exactOptional()
    .describe('The account that owns the environment and runs pip; root if absent'),
  cwd: absolutePath
    .exactOptional()
    .describe(
      'Where relative paths in requirements start; the directory of the first requirement file if absent',
    ),
  index_url: index
    .exactOptional()
    .describe('The package index to use; credentials in it never stand in a command line')
    .meta({ secret: true }),
  extra_index_url: oneOrMore(index)
    .exactOptional()
    .describe('Further indexes')
    .meta({ secret: true }),
  find_links: oneOrMore(z.string().regex(/^(?!-)[^\s\0]+$/u))
    .exactOptional()
    .describe('Directories or pages that hold packages'),
  no_index: z.boolean().default(false).describe('Use `find_links` only'),
  no_deps: z.boolean().default(false).describe('Leave out what the packages themselves require'),
  pre_releases: z.boolean().default(false).describe('Also accept pre-releases'),
  env_vars: environment.exactOptional().describe('Environment for pip; never for secrets'),
};

export const packagesField = oneOrMore(requirement);

export interface PipArgs {
  readonly requirements?: readonly string[];
  readonly constraints?: readonly string[];
  readonly user?: string;
  readonly cwd?: string;
  readonly index_url?: string;
  readonly extra_index_url?: readonly string[];
  readonly find_links?: readonly string[];
  readonly no_index: boolean;
  readonly no_deps: boolean;
  readonly pre_releases: boolean;
  readonly env_vars?: Readonly<Record<string, string>>;
}

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
}

const answer = z.strictObject({
  python: z.string(),
  pip: z.boolean(),
  missing: z.array(z.string()),
});

/**
 * What an environment lacks of its requirements and of what they require; `null` if its Python
 * does not run or has no pip. Asks nothing but the environment itself: no network, no change.
 */
export async function inspect(host: HostView, target: PipTarget): Promise<Environment | null> {
  const { python, packages, args } = target;
  await requireFiles(host, args);
  const asked = {
    files: args.requirements ?? [],
    constraints: args.constraints ?? [],
    packages,
    deps: !args.no_deps,
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

/** Installs what is missing, in one go. */
export async function install(
  host: Host,
  { python, packages, args }: PipTarget,
  more: readonly string[] = [],
): Promise<void> {
  const config = await writeIndexes(host, args);
  const argv: Argv = [python, '-m', 'pip', 'install', ...flagsOf(args), ...more, '--', ...packages];
  try {
    const options = optionsFor(args);
    const env = { ...options.env, ...(config === null ? {} : { PIP_CONFIG_FILE: config }) };
    await host.run(argv, { ...options, env, timeoutMs: INSTALL_TIMEOUT_MS });
  } finally {
    if (config !== null) await host.remove(config);
  }
}

/** What must be there before pip can read its requirements. */
export function pipNeeds({ requirements = [], constraints = [], user }: PipArgs): string[] {
  const files = [...requirements, ...constraints].flatMap((path) => [
    `path:${path}`,
    ...parentsOf(path),
  ]);
  return [...files, ...(user === undefined ? [] : [`user:${user}`])];
}

function optionsFor({ user, cwd, requirements, env_vars }: PipArgs): CommandOptions {
  const [first] = requirements ?? [];
  const where = cwd ?? (first === undefined ? '/' : posix.dirname(first));
  const env = { ...env_vars, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  return { cwd: where, env, ...(user === undefined ? {} : { user }) };
}

function flagsOf(args: PipArgs): string[] {
  return [
    ...(args.requirements ?? []).map((path) => `--requirement=${path}`),
    ...(args.constraints ?? []).map((path) => `--constraint=${path}`),
    ...(args.find_links ?? []).map((place) => `--find-links=${place}`),
    ...(args.no_index ? ['--no-index'] : []),
    ...(args.no_deps ? ['--no-deps'] : []),
    ...(args.pre_releases ? ['--pre'] : []),
  ];
}

/** The indexes go in by a file that only the user can read and that lives in memory; `null` if none are given. */
async function writeIndexes(host: Host, args: PipArgs): Promise<string | null> {
  const { index_url, extra_index_url = [], user = 'root' } = args;
  if (index_url === undefined && extra_index_url.length === 0) return null;
  const lines = ['[global]'];
  if (index_url !== undefined) lines.push(`index-url = ${index_url}`);
  if (extra_index_url.length > 0)
    lines.push('extra-index-url =', ...extra_index_url.map((url) => `    ${url}`));
  const path = `/run/conductor-pip-${randomUUID()}.conf`;
  await host.writeFile(path, `${lines.join('\n')}\n`, { user, mode: '0600' });
  return path;
}

async function requireFiles(host: HostView, args: PipArgs): Promise<void> {
  for (const path of [...(args.requirements ?? []), ...(args.constraints ?? [])]) {
    if ((await host.status(path)) !== null) continue;
    throw new ConductorError(
      'SOURCE_MISSING',
      `Cannot read the requirements "${path}": there is no such file`,
    );
  }
}
