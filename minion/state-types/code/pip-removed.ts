import { z } from 'zod';
import type { HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { EXPOSED } from '../lib/fields.ts';
import { said } from '../lib/said.ts';
import { environmentOfPip, pipFields } from './lib/pip-fields.ts';
import { inspect, uninstall } from './lib/pip.ts';
import { placesOf, pythonOf } from './pip.ts';

const removedSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/u, { error: 'expected the name of a package' })
      .describe('The package; only a title if `pkgs` is given'),
    pkgs: z
      .array(z.string().regex(/^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/u))
      .exactOptional()
      .describe('Several packages')
      .meta(EXPOSED),
    bin_env: environmentOfPip
      .exactOptional()
      .describe("The virtual environment to take it from; the system's Python if absent"),
    user: pipFields.user,
    break_system_packages: z
      .boolean()
      .default(false)
      .describe("Allow it in the system's Python where Debian advises against it"),
  })
  .describe(
    'Python packages are not in a virtual environment, or not among those that pip has installed for the whole system. ' +
      'What they required stays.',
  );
type RemovedArgs = z.infer<typeof removedSchema>;
type Removed = { pkgs: readonly string[] };

export const pipRemoved = defineState<RemovedArgs, Removed>({
  name: 'pip.removed',
  schema: removedSchema,
  example: `no debug toolbar:
  pip.removed:
    name: django-debug-toolbar
    bin_env: /srv/environments/openknesset
    user: openknesset
`,
  needs: ({ user, ...args }) => [
    ...placesOf(args),
    ...(user === undefined ? [] : [`user:${user}`]),
  ],
  read: async (args, host) => {
    const pkgs = await installedAmong(args, host);
    return pkgs.length === 0 ? null : { pkgs };
  },
  want: () => null,
  async apply(_change, args, host) {
    const names = await installedAmong(args, host);
    const { break_system_packages, user } = args;
    const quiet = { ...NOTHING_TO_INSTALL, break_system_packages, ...said({ user }) };
    if (names.length > 0) await uninstall(host, pythonOf(args.bin_env), names, quiet);
  },
});

const NOTHING_TO_INSTALL = {
  no_index: false,
  no_deps: true,
  pre_releases: false,
  force_reinstall: false,
  ignore_installed: false,
  no_cache_dir: false,
};

/** Of an environment that is not there, nothing is installed. */
async function installedAmong(args: RemovedArgs, host: HostView): Promise<string[]> {
  const { bin_env, user, name, pkgs = [name] } = args;
  const python = pythonOf(bin_env);
  if (bin_env !== undefined && (await host.status(`${bin_env}/pyvenv.cfg`)) === null) return [];
  const quiet = { ...NOTHING_TO_INSTALL, ...said({ user }) };
  const environment = await inspect(host, { python, packages: pkgs, args: quiet });
  if (environment === null) return [];
  return pkgs.filter((one) => !environment.missing.includes(one)).toSorted();
}
