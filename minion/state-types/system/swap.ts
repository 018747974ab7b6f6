import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { unescaped } from '../lib/mount-table.ts';
import { refusePlace } from '../lib/places.ts';
import { realDevice } from './lib/devices.ts';
import { contentOf } from './lib/luks.ts';
import { linesOf, showEntry, withEntry } from './lib/fstab.ts';
import type { FstabEntry } from './lib/fstab.ts';
import { swapSchema } from './mount-schema.ts';
import type { SwapArgs } from './mount-schema.ts';

/** Whether the kernel swaps to it, and what fstab says of it. */
export type Swap = { active: boolean; fstab: string | null };

async function read(args: SwapArgs, host: HostView): Promise<Swap | null> {
  const real = await realDevice(args.name, host);
  const active = real !== null && (await activeSwaps(host)).includes(real);
  const fstab = linesOf(await textOf(args.config, host), isOf(args));
  return active || fstab !== null ? { active, fstab } : null;
}

async function activeSwaps(host: HostView): Promise<string[]> {
  const [, ...lines] = (await textOf('/proc/swaps', host)).split('\n');
  return lines.map((line) => unescaped(line.split(/\s/u)[0] ?? ''));
}

async function textOf(path: string, host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(path)) ?? []).toString('latin1');
}

function isOf({ name }: SwapArgs) {
  return ({ device, fstype }: FstabEntry): boolean => fstype === 'swap' && device === name;
}

function entryOf({ name, opts }: SwapArgs): FstabEntry {
  return { device: name, path: 'none', fstype: 'swap', opts: opts.join(','), dump: 0, pass: 0 };
}

async function refuses(change: Change<Swap>, args: SwapArgs, host: HostView): Promise<void> {
  if (change.action === 'remove') return;
  if (change.to.active === true) {
    const real = await neededDevice(args, host);
    if ((await contentOf(real, host)) !== 'swap') throw refused(args, 'mkswap has not prepared it');
  }
  if (change.to.fstab !== undefined)
    await refusePlace({ name: args.config, makedirs: false }, host);
}

async function neededDevice(args: SwapArgs, host: HostView): Promise<string> {
  const real = await realDevice(args.name, host);
  if (real !== null) return real;
  throw refused(args, 'there is no such device or file');
}

function refused({ name }: SwapArgs, state: string): ConductorError {
  const lacks = [name.startsWith('/') ? `path:${name}` : `device:${name}`];
  return new ConductorError('STATE_REFUSED', `Cannot swap to "${name}": ${state}`, { lacks });
}

async function apply(change: Change<Swap>, args: SwapArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  if (change.to.active === true) {
    const real = await neededDevice(args, host);
    await host.run(['swapon', `--options=${args.opts.join(',')}`, '--', real]);
  }
  if (change.to.fstab === undefined) return;
  const text = withEntry(await textOf(args.config, host), isOf(args), entryOf(args));
  await host.writeFile(args.config, Buffer.from(text, 'latin1'));
  if (args.config === '/etc/fstab') await host.run(['systemctl', 'daemon-reload']);
}

export const mountSwap = defineState({
  name: 'mount.swap',
  schema: swapSchema,
  example: `/swapfile:
  mount.swap:
    persist: true
`,
  needs: ({ name }: SwapArgs) => [`path:${name}`].filter((need) => need.startsWith('path:/')),
  read,
  want: (args: SwapArgs): Partial<Swap> => ({
    active: true,
    ...(args.persist ? { fstab: showEntry(entryOf(args)) } : {}),
  }),
  refuses,
  apply,
});
