import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { EXPOSED, absolutePath } from '../lib/fields.ts';
import { refusePlace } from '../lib/places.ts';
import { KERNEL, parentsOf } from '../lib/resources.ts';
import { settled } from '../lib/settled.ts';
import { parameterPath, readAfter, settingIn, withSetting } from './lib/sysctl-conf.ts';

/** One parameter of the kernel. */
export type Parameter = {
  /** What the kernel uses now. */
  value: string;
  /** What the configuration file says for the next boot. */
  persisted: string | null;
};

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w-]+(?:[./][\w:@-]+)+$/u, {
        error: 'expected the name of a kernel parameter, such as net.ipv4.ip_forward',
      })
      .describe('Name of the parameter; with slashes where a part of it holds a dot'),
    value: z
      .union([z.int(), z.string().regex(/^[^\0\r\n]*\S[^\0\r\n]*$/u)])
      .transform((value) => String(value).trim().replaceAll(/\s+/gu, ' '))
      .describe('Its value; several numbers are separated by spaces')
      .meta(EXPOSED),
    config: absolutePath
      .default('/etc/sysctl.d/99-zz-conductor.conf')
      .describe('The file that sets it at boot; files are read in the order of their names'),
  })
  .describe(
    'A parameter of the kernel, in the running kernel and in a file that sets it again at boot. The kernel is asked ' +
      'first, so a value that it refuses never gets into the file. Other lines of the file are kept as they are.',
  );

type Args = z.infer<typeof schema>;

async function read(args: Args, host: HostView): Promise<Parameter> {
  const { name, config } = args;
  const live = await host.readFile(`/proc/sys/${parameterPath(name)}`);
  if (live === null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot set the kernel parameter "${name}": this kernel has none of that name`,
      { lacks: [KERNEL] },
    );
  }
  const value = Buffer.from(live).toString().trim().replaceAll(/\s+/gu, ' ');
  const later = await overriding(args, host);
  return { value, persisted: later?.value ?? settingIn(await textOf(config, host), name) };
}

async function textOf(path: string, host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(path)) ?? []).toString('latin1');
}

async function refuses(change: Change<Parameter>, args: Args, host: HostView): Promise<void> {
  const { name, config } = args;
  if (change.action === 'remove' || change.to.persisted === undefined) return;
  await refusePlace({ name: config, makedirs: false }, host);
  const later = await overriding(args, host);
  if (later === null) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot set the kernel parameter "${name}" for the next boot: "${later.path}" is read after "${config}" and sets it to ` +
      `"${later.value}" (take that away, or give a \`config\` behind it)`,
    { inTheWay: [`path:${later.path}`] },
  );
}

/** What a file that is read after its own gives it, if that is another value; `null` if none does. */
async function overriding(
  { name, value, config }: Args,
  host: HostView,
): Promise<{ readonly path: string; readonly value: string } | null> {
  for (const path of (await readAfter(config, host)).toReversed()) {
    const other = settingIn(await textOf(path, host), name);
    if (other !== null) return other === value ? null : { path, value: other };
  }
  return null;
}

async function apply(change: Change<Parameter>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { name, value, config } = args;
  if (change.to.value !== undefined)
    await host.run(['sysctl', '--quiet', '--write', `${parameterPath(name)}=${value}`]);
  if (change.to.persisted === undefined) return;
  const text = withSetting(await textOf(config, host), name, value);
  await host.writeFile(config, Buffer.from(text, 'latin1'));
}

export const sysctlPresent = defineState({
  name: 'sysctl.present',
  schema,
  example: `vm.swappiness:
  sysctl.present:
    value: 10
`,
  settles: ({ name, value }: Args) => settled(`kernel parameter:${parameterPath(name)}`, { value }),
  needs: ({ config }: Args) => parentsOf(config),
  read,
  want: ({ value }: Args): Partial<Parameter> => ({ value, persisted: value }),
  refuses,
  apply,
});
