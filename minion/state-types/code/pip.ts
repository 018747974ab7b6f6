import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { EXPOSED, absolutePath } from '../lib/fields.ts';
import { refuseOthersProgram } from './lib/others-program.ts';
import { inspect, inspectForUpgrade, install, pipNeeds } from './lib/pip.ts';
import type { PipTarget } from './lib/pip.ts';
import { hasNoPassword } from './lib/addresses.ts';
import {
  NO_PASSWORD,
  NO_REQUIREMENT,
  isRequirement,
  packagesField,
  environmentOfPip,
  pipFields,
} from './lib/pip-fields.ts';

type Installed = { missing: readonly string[]; outdated: readonly string[] };

const editables = z.union([absolutePath.transform((path) => [path]), z.array(absolutePath)]);

const schema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .refine(hasNoPassword, NO_PASSWORD)
      .describe(
        'The package, with its version if it matters (`Django>=4.2`); only a title if `pkgs` or `requirements` is given',
      )
      .meta(EXPOSED),
    pkgs: packagesField.exactOptional().describe('Several packages').meta(EXPOSED),
    bin_env: environmentOfPip
      .exactOptional()
      .describe("The virtual environment to install into; the system's Python if absent"),
    editable: editables
      .exactOptional()
      .describe(
        'Directories of source code that are used where they are (`pip install --editable`)',
      ),
    upgrade: z.boolean().default(false).describe('To the newest version that the index has'),
    break_system_packages: z
      .boolean()
      .default(false)
      .describe("Allow it in the system's Python where Debian advises against it"),
    ...pipFields,
  })
  .refine(
    ({ name, pkgs, requirements, editable }) =>
      (pkgs ?? requirements ?? editable) !== undefined || isRequirement(name),
    { error: NO_REQUIREMENT, path: ['name'] },
  )
  .describe(
    'Python packages in a virtual environment or for the whole system: at least those named, in a version that fits, ' +
      'with everything that they require.',
  );
type Args = z.infer<typeof schema>;

export const pipInstalled = defineState<Args, Installed>({
  name: 'pip.installed',
  isDerived: true,
  reach: 'programs',
  schema,
  treeFileLists: ['requirements'],
  example: `gunicorn:
  pip.installed:
    name: gunicorn>=20
    bin_env: /srv/environments/openknesset
    user: openknesset
`,
  needs: (args) => [...placesOf(args), ...pipNeeds(args)],
  read,
  refuses: refuseManaged,
  want: ({ upgrade }) => (upgrade ? { missing: [], outdated: [] } : { missing: [] }),
  apply,
});

async function read(args: Args, host: HostView): Promise<Installed> {
  for (const path of args.editable ?? [])
    await refuseOthersProgram(path, args, host, `install "${path}"`);
  const target = pipTarget(args);
  const environment = await (args.upgrade
    ? inspectForUpgrade(host, target)
    : inspect(host, target));
  if (environment === null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot look for Python packages: "${target.python}" does not run or has no pip`,
      { lacks: placesOf(args) },
    );
  }
  return { missing: environment.missing, outdated: environment.outdated };
}

const MANAGED =
  'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")))';

/** Debian keeps its own Python for its own packages (PEP 668). */
async function refuseManaged(
  _change: Change<Installed>,
  args: Args,
  host: HostView,
): Promise<void> {
  if (args.bin_env !== undefined || args.break_system_packages) return;
  const { exitCode } = await host.query([pythonOf(undefined), '-I', '-c', MANAGED]);
  if (exitCode !== 0) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${args.name}" into the system's Python: Debian keeps that for its own packages; say in which virtual environment (bin_env), or set break_system_packages`,
    { lacks: [] },
  );
}

async function apply(change: Change<Installed>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const flags = [
    ...(args.upgrade ? ['--upgrade'] : []),
    ...(args.break_system_packages ? ['--break-system-packages'] : []),
    ...(args.editable ?? []).map((path) => `--editable=${path}`),
  ];
  const { python, packages } = pipTarget(args);
  const named = packages.filter(
    (one) => !(args.editable ?? []).some((path) => one === atPath(path)),
  );
  await install(host, { python, packages: named, args }, flags);
}

function pipTarget(args: Args): PipTarget {
  const { bin_env, pkgs, requirements, editable, name } = args;
  const isTitle = (requirements ?? editable) !== undefined;
  const packages = pkgs ?? (isTitle ? [] : [name]);
  const there = (editable ?? []).map(atPath);
  return { python: pythonOf(bin_env), packages: [...packages, ...there], args };
}

function atPath(path: string): string {
  return `file://${path}`;
}

export function placesOf({ bin_env: environment }: { bin_env?: string }): string[] {
  return environment === undefined ? ['package:python3-pip'] : [`virtualenv:${environment}`];
}

export function pythonOf(environment: string | undefined): string {
  return environment === undefined ? '/usr/bin/python3' : `${environment}/bin/python`;
}
