import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { CommandOptions, Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { ask } from '../lib/ask.ts';
import { EXPOSED, absolutePath, idleArgument, refusedArgument } from '../lib/fields.ts';
import { refuseOthersProgram } from './lib/others-program.ts';
import { giveTo, makeOwnDirectory } from './lib/own-directory.ts';
import { inspect, inspectForUpgrade, install, pipNeeds, requireFiles } from './lib/pip.ts';
import { packagesField, pipFields } from './lib/pip-fields.ts';
import type { Environment, PipTarget } from './lib/pip.ts';
import { refuseOthersPlace } from '../lib/others.ts';
import { refuseParents, wantedOwnership } from '../lib/ownership.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { wholeSettled } from '../lib/settled.ts';

type Virtualenv = {
  /** `null` if its Python is gone or does not run, or if whoever made it was killed. */
  python: string | null;
  system_site_packages: boolean;
  user: string;
  missing: readonly string[];
  outdated: readonly string[];
};

const schema = z
  .strictObject({
    name: absolutePath.describe('Directory of the environment'),
    python: z
      .string()
      .regex(/^(?!-)[^\s\0]+$/u)
      .default('python3')
      .describe('The Python that it is made with, by name or path')
      .meta(EXPOSED),
    system_site_packages: z
      .boolean()
      .default(false)
      .describe("Also sees the packages of the system's Python"),
    pip_pkgs: packagesField
      .exactOptional()
      .describe('Packages that it holds besides those of `requirements`')
      .meta(EXPOSED),
    pip_upgrade: z
      .boolean()
      .default(false)
      .describe('Whether what is asked for is brought to the newest version that fits'),
    clear: refusedArgument('an environment is built anew when its Python is gone or another one'),
    venv_bin: z
      .string()
      .regex(/^(?:\/[\w/.-]*\/)?(?:virtualenv|pyvenv|venv)3?$/u, {
        error: 'it is made with the venv of the Python that `python` names',
      })
      .exactOptional()
      .describe("Salt's; it is made with the venv of the Python that `python` names in any case")
      .meta({ doNotSuggest: true }),
    distribute: idleArgument('an environment has the pip of its Python'),
    never_download: idleArgument('an environment has the pip of its Python'),
    ...pipFields,
  })
  .describe(
    'A Python virtual environment that satisfies its requirements, down to what the packages themselves require. One ' +
      'whose Python is gone, broken or of another version is built anew. Packages beyond the requirements are left alone.',
  );
type Args = z.infer<typeof schema>;

export const virtualenvManaged = defineState<Args, Virtualenv>({
  name: 'virtualenv.managed',
  isDerived: true,
  schema,
  treeFileLists: ['requirements'],
  example: `openknesset environment:
  virtualenv.managed:
    name: /srv/environments/openknesset
    requirements: /srv/projects/openknesset/code/requirements.txt
    user: openknesset
`,
  provides: ({ name }) => [`virtualenv:${name}`, `path:${name}`],
  settles: ({ name, user }) => wholeSettled(name, said({ user })),
  needs: (args) => ['package:python3-venv', ...parentsOf(args.name), ...pipNeeds(args)],
  read,
  want: wanted,
  refuses,
  apply,
});

async function read(args: Args, host: HostView): Promise<Virtualenv | null> {
  const status = await host.status(args.name);
  if (status?.kind !== 'directory') return null;
  const settings = await host.readFile(`${args.name}/pyvenv.cfg`);
  if (settings === null) return null;
  const text = Buffer.from(settings).toString();
  const environment = (await look(args, host)) ?? { python: null, missing: [], outdated: [] };
  const { python, missing, outdated } = environment;
  const wasCutShort = (await host.recall(unfinished(args))) !== null;
  return {
    python: wasCutShort ? null : python,
    system_site_packages: /^include-system-site-packages\s*=\s*true\s*$/imu.test(text),
    user: status.user,
    missing,
    outdated,
  };
}

function look(args: Args, host: HostView): Promise<Environment | null> {
  return args.pip_upgrade
    ? inspectForUpgrade(host, pipTarget(args))
    : inspect(host, pipTarget(args));
}

async function wanted(args: Args, host: HostView): Promise<Partial<Virtualenv>> {
  const { python, system_site_packages, user = 'root' } = args;
  if (posix.isAbsolute(python)) await refuseOthersProgram(python, args, host);
  const show = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const version = await ask(
    host,
    [python, '-B', '-c', show],
    `ask ${python} for its version`,
    asUser(args),
  );
  const newest = args.pip_upgrade ? { outdated: [] } : {};
  return { python: version.trim(), system_site_packages, user, missing: [], ...newest };
}

async function refuses(change: Change<Virtualenv>, args: Args, host: HostView): Promise<void> {
  await requireFiles(host, args);
  await wantedOwnership(said({ user: args.user }), host);
  const { name, user } = args;
  await refuseOthersPlace(name, { user, what: 'a virtual environment' }, host);
  if (change.action === 'create') await guardDirectory(args, host);
  if (change.action !== 'remove' && mustBuild(change)) await needVenv(args, host);
}

/** Debian's Python comes without the parts that make environments. */
async function needVenv(args: Args, host: HostView): Promise<void> {
  const { exitCode } = await host.query(
    [args.python, '-B', '-c', 'import ensurepip, venv'],
    asUser(args),
  );
  if (exitCode === 0) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make a virtual environment in "${args.name}": ${args.python} has no venv (the package python3-venv brings it)`,
    { lacks: ['package:python3-venv'] },
  );
}

/** What has been begun and could not be filled is taken away again: nothing is there that looks whole. */
async function apply(change: Change<Virtualenv>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const wasThere = (await host.status(args.name)) !== null;
  try {
    await make(change, args, host);
  } catch (error) {
    if (!wasThere) await host.remove(args.name);
    throw error;
  }
}

type Making = Exclude<Change<Virtualenv>, { action: 'remove' }>;

async function make(change: Making, args: Args, host: Host): Promise<void> {
  if (change.action === 'create') await makeOwnDirectory(host, args.name, args.user ?? 'root');
  else await giveTo(host, args.name, args.user ?? 'root'); // whoever installed by hand may have been another
  if (mustBuild(change)) await build(args, host);
  const target = pipTarget(args);
  const environment = await look(args, host);
  const lacks = environment === null || environment.missing.length > 0;
  if (lacks || environment.outdated.length > 0)
    await install(host, target, args.pip_upgrade ? ['--upgrade'] : []);
}

function mustBuild({ action, to }: Making): boolean {
  return action === 'create' || to.python !== undefined || to.system_site_packages !== undefined;
}

async function build(args: Args, host: Host): Promise<void> {
  const shares = args.system_site_packages ? ['--system-site-packages'] : [];
  // Cut short, it may look whole and yet lack what comes last: its pip.
  await host.remember(unfinished(args), 'being made');
  await host.run([args.python, '-m', 'venv', '--clear', ...shares, '--', args.name], asUser(args));
  await host.remember(unfinished(args), null);
}

function unfinished({ name }: Args): string {
  return `virtualenv unfinished:${name}`;
}

/** What a virtual environment consists of, also one that was cut short while it was made. */
const OF_ENVIRONMENTS = new Set(['bin', 'include', 'lib', 'lib64', 'pyvenv.cfg', 'share']);

/** What is no environment is not cleared. */
async function guardDirectory({ name }: Args, host: HostView): Promise<void> {
  await refuseParents({ name, makedirs: true }, host);
  const names = await host.list(name);
  const isOurs = names === null || names.every((one) => OF_ENVIRONMENTS.has(one));
  if ((await host.status(name)) !== null && (names === null || !isOurs)) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot make a virtual environment in "${name}": something else is there`,
      { inTheWay: [`path:${name}`] },
    );
  }
}

function pipTarget(args: Args): PipTarget {
  return { python: `${args.name}/bin/python`, packages: args.pip_pkgs ?? [], args };
}

function asUser({ user }: Args): CommandOptions {
  return { cwd: '/', ...(user === undefined ? {} : { user }) };
}
