import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { ask } from '../lib/ask.ts';
import { absolutePath } from '../lib/fields.ts';
import { inspect, install, packagesField, pipFields, pipNeeds } from './lib/pip.ts';
import type { PipTarget } from './lib/pip.ts';

type Installed = { missing: readonly string[]; outdated: readonly string[] };

const schema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe(
        'The package, with its version if it matters (`Django>=4.2`); only a title if `pkgs` or `requirements` is given',
      ),
    pkgs: packagesField.exactOptional().describe('Several packages'),
    bin_env: absolutePath
      .exactOptional()
      .describe("The virtual environment to install into; the system's Python if absent"),
    upgrade: z.boolean().default(false).describe('To the newest version that the index has'),
    break_system_packages: z
      .boolean()
      .default(false)
      .describe("Allow it in the system's Python where Debian advises against it"),
    ...pipFields,
  })
  .describe(
    'Python packages in a virtual environment or for the whole system: at least those named, in a version that fits, ' +
      'with everything that they require.',
  );
type Args = z.infer<typeof schema>;

export const pipInstalled = defineState<Args, Installed>({
  name: 'pip.installed',
  schema,
  example: `gunicorn:
  pip.installed:
    name: gunicorn>=20
    bin_env: /srv/environments/openknesset
    user: openknesset
`,
  needs: (args) => [
    ...(args.bin_env === undefined ? ['package:python3-pip'] : [`virtualenv:${args.bin_env}`]),
    ...pipNeeds(args),
  ],
  read,
  want: ({ upgrade }) => (upgrade ? { missing: [], outdated: [] } : { missing: [] }),
  apply,
});

async function read(args: Args, host: HostView): Promise<Installed> {
  const target = pipTarget(args);
  const environment = await inspect(host, target);
  if (environment === null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot look for Python packages: "${target.python}" does not run or has no pip`,
    );
  }
  const outdated = args.upgrade ? await outdatedAmong(host, target) : [];
  return { missing: environment.missing, outdated };
}

async function apply(change: Change<Installed>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const flags = [
    ...(args.upgrade ? ['--upgrade'] : []),
    ...(args.break_system_packages ? ['--break-system-packages'] : []),
  ];
  await install(host, pipTarget(args), flags);
}

const outdatedAnswer = z.array(z.object({ name: z.string() }));

/** Those of the named packages of which the index has a newer version. */
async function outdatedAmong(
  host: HostView,
  { python, packages, args }: PipTarget,
): Promise<string[]> {
  const argv = [python, '-B', '-m', 'pip', 'list', '--outdated', '--format=json'] as const;
  const options = { cwd: '/', ...(args.user === undefined ? {} : { user: args.user }) };
  const text = await ask(host, argv, 'ask which packages are outdated', options);
  const named = new Set(packages.map((text) => canonical(/^[\w.-]+/u.exec(text)?.[0] ?? '')));
  return outdatedAnswer
    .parse(JSON.parse(text))
    .map(({ name }) => name)
    .filter((name) => named.has(canonical(name)))
    .toSorted();
}

function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/gu, '-');
}

function pipTarget(args: Args): PipTarget {
  const { bin_env, pkgs, requirements, name } = args;
  const python = bin_env === undefined ? '/usr/bin/python3' : `${bin_env}/bin/python`;
  const packages = pkgs ?? (requirements === undefined ? [name] : []);
  return { python, packages, args };
}
