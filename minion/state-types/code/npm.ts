import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Argv, CommandOptions, Host, HostView } from '../../host/host.ts';
import { failed } from '../lib/ask.ts';
import { EXPOSED, absolutePath, accountName, environment } from '../lib/fields.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { hasNoPassword } from './lib/addresses.ts';
import { NPM_SCRIPT } from './lib/npm-script.ts';

type Installed = { missing: readonly string[] };
type Present = { pkgs: readonly string[] };

const INSTALL_TIMEOUT_MS = 1_800_000;

const packageSpec = z
  .string()
  .regex(/^(?!-)[^\s\0]+$/u, {
    error: 'expected a package, such as less, less@4.2 or tool@file:/srv/tool.tgz',
  })
  .refine(hasNoPassword, {
    error: "a password in an address belongs into the account's .npmrc or .netrc",
  });

/** A package, or a mere title, which may have spaces. */
const title = z.string().regex(/^(?!-)[^\0\r\n]+$/u, { error: 'expected a package or a title' });

const place = {
  dir: absolutePath
    .exactOptional()
    .describe('The directory to install in; for the whole system if absent'),
  user: accountName.exactOptional().describe('The account that runs npm; root if absent'),
  env: environment.exactOptional().describe('Environment for npm').meta(EXPOSED),
};

interface Place {
  readonly dir?: string;
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const installedSchema = z
  .strictObject({
    name: title
      .describe(
        'The package, with its version if it matters (less@4.2); only a title if `pkgs` or `ci` is given',
      )
      .meta(EXPOSED),
    pkgs: z.array(packageSpec).min(1).exactOptional().describe('Several packages').meta(EXPOSED),
    ci: z
      .boolean()
      .default(false)
      .describe('Exactly what the package-lock.json in `dir` says, as `npm ci` installs it'),
    omit: z
      .array(z.enum(['dev', 'optional', 'peer']))
      .default([])
      .describe('With `ci`, kinds of packages to leave out: `dev`, `optional`, `peer`'),
    force_reinstall: z
      .boolean()
      .default(false)
      .describe('Whenever something is installed, install anew what is there already'),
    ignore_scripts: z
      .boolean()
      .default(false)
      .describe('Whether the programs that packages want run on installation are not'),
    registry: z
      .url({ protocol: /^https?$/u })
      .refine((url) => !URL.canParse(url) || new URL(url).username === '', {
        error: "credentials belong into the account's .npmrc",
      })
      .exactOptional()
      .describe('The registry to use')
      .meta(EXPOSED),
    ...place,
  })
  .refine(({ ci, dir, pkgs }) => !ci || (dir !== undefined && pkgs === undefined), {
    error: '`ci` needs a `dir` and no `pkgs`',
    path: ['ci'],
  })
  .describe(
    'Packages of npm are installed, for the whole system or in a directory, in versions that fit; or a directory holds ' +
      'exactly what its lock file says.',
  );
type InstalledArgs = z.infer<typeof installedSchema>;

export const npmInstalled = defineState<InstalledArgs, Installed>({
  name: 'npm.installed',
  reach: 'programs',
  schema: installedSchema,
  example: `front end:
  npm.installed:
    dir: /srv/projects/openknesset/code
    ci: true
    omit: [dev]
    user: openknesset
`,
  needs: needsOf,
  async read(args, host) {
    const { name, pkgs, ci, omit } = args;
    const packages = ci ? [] : (pkgs ?? [name]);
    const { missing } = await ask({ packages, lock: ci, omit }, args, host);
    return { missing };
  },
  want: () => ({ missing: [] }),
  async apply(change, args, host) {
    if (change.action === 'remove') return;
    const { ci, omit, name, pkgs = [name] } = args;
    const flags = [
      ...(args.force_reinstall ? ['--force'] : []),
      ...(args.ignore_scripts ? ['--ignore-scripts'] : []),
      ...(args.registry === undefined ? [] : [`--registry=${args.registry}`]),
    ];
    const words = ci
      ? ['ci', ...flags, ...omit.map((kind) => `--omit=${kind}`)]
      : ['install', ...flags, ...globally(args), '--', ...pkgs];
    await npm(words, args, host);
  },
});

const removedSchema = z
  .strictObject({
    name: title.describe('The package, without a version; only a title if `pkgs` is given'),
    pkgs: z.array(packageSpec).min(1).exactOptional().describe('Several packages').meta(EXPOSED),
    ...place,
  })
  .describe('Packages of npm are not installed, for the whole system or in a directory.');
type RemovedArgs = z.infer<typeof removedSchema>;

export const npmRemoved = defineState<RemovedArgs, Present>({
  name: 'npm.removed',
  schema: removedSchema,
  example: `no bower:
  npm.removed:
    name: bower
`,
  needs: needsOf,
  async read(args, host) {
    const pkgs = await presentAmong(args, host);
    return pkgs.length === 0 ? null : { pkgs };
  },
  want: () => null,
  async apply(_change, args, host) {
    const pkgs = await presentAmong(args, host);
    if (pkgs.length > 0) await npm(['uninstall', ...globally(args), '--', ...pkgs], args, host);
  },
});

/** In a directory that is not there, nothing is installed. */
async function presentAmong(args: RemovedArgs, host: HostView): Promise<string[]> {
  const { name, pkgs = [name], dir } = args;
  if (dir !== undefined && (await host.status(dir)) === null) return [];
  const { missing } = await ask({ packages: pkgs, lock: false, omit: [] }, args, host);
  return pkgs.filter((one) => !missing.includes(one)).toSorted();
}

const answer = z.union([
  z.strictObject({ missing: z.array(z.string()) }),
  z.strictObject({ refused: z.string() }),
]);

interface Asked {
  readonly packages: readonly string[];
  readonly lock: boolean;
  readonly omit: readonly string[];
}

/** Asks with npm's own words for versions; reads files only. */
async function ask(
  asked: Asked,
  args: Place,
  host: HostView,
): Promise<{ missing: readonly string[] }> {
  const { dir } = args;
  if (dir !== undefined && (await host.status(dir)) === null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot look for packages of npm in "${dir}": there is no such directory`,
      { lacks: directoriesOf(args) },
    );
  }
  const argv: Argv = ['node', '-e', NPM_SCRIPT];
  const input = JSON.stringify({ ...asked, ...said({ dir }) });
  const output = await host.query(argv, { ...optionsFor(args), input });
  if (output.exitCode !== 0) throw failed('look for packages of npm', argv, output);
  const found = answer.parse(JSON.parse(output.stdout));
  if (!('refused' in found)) return found;
  throw new ConductorError('STATE_REFUSED', `Cannot look for packages of npm: ${found.refused}`, {
    lacks: ['package:npm', ...directoriesOf(args)],
  });
}

async function npm(words: readonly string[], args: Place, host: Host): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const [verb = '', ...rest] = words;
  const options = { ...optionsFor(args), timeoutMs: INSTALL_TIMEOUT_MS };
  await host.run(['npm', verb, ...quiet, ...rest], options);
}

function globally({ dir }: Place): string[] {
  return dir === undefined ? ['--global'] : [];
}

function optionsFor({ dir = '/', user, env }: Place): CommandOptions {
  return { cwd: dir, ...said({ user, env }) };
}

function directoriesOf({ dir }: { readonly dir?: string | undefined }): string[] {
  return dir === undefined ? [] : [`checkout:${dir}`, `path:${dir}`];
}

function needsOf({ dir, user }: Place): string[] {
  return [
    'package:npm',
    'package:nodejs',
    ...directoriesOf({ dir }),
    ...(dir === undefined ? [] : parentsOf(dir)),
    ...(user === undefined ? [] : [`user:${user}`]),
  ];
}
