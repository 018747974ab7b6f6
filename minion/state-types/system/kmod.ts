import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { lastWords } from '../lib/ask.ts';
import { KERNEL } from '../lib/resources.ts';
import { EXPOSED } from '../lib/fields.ts';
import {
  OWN_LIST,
  builtinModules,
  loadedModules,
  moduleLists,
  modulesIn,
  withModule,
  withoutModule,
} from './lib/modules.ts';

/** Of the modules that a state names, those that are in the kernel and those that are loaded at boot. */
export type Modules = { mods: readonly string[]; listed: readonly string[] };

const moduleName = z
  .string()
  .regex(/^[\w-]+$/u, { error: 'expected the name of a kernel module, such as br_netfilter' })
  .transform((name) => name.replaceAll('-', '_'));

const shared = {
  name: z.string().min(1).describe('Name of the module; with `mods` any name'),
  mods: z
    .array(moduleName)
    .min(1)
    .transform((names) => [...new Set(names)].toSorted())
    .exactOptional()
    .describe('Several modules; that of `name` if absent')
    .meta(EXPOSED),
};

const presentSchema = z
  .strictObject({
    ...shared,
    persist: z.boolean().default(false).describe('Whether it is loaded at every boot as well'),
  })
  .refine(hasModules, { error: 'expected the name of a kernel module', path: ['name'] })
  .describe(
    'A module of the kernel that is loaded; one that is built into the kernel always is. With `persist` it is listed in ' +
      '/etc/modules-load.d too, unless some file there or /etc/modules lists it already.',
  );

const absentSchema = z
  .strictObject({
    ...shared,
    persist: z.boolean().default(false).describe('Whether it is taken out of the lists for boot'),
    comment: z
      .boolean()
      .default(true)
      .describe('Whether a line of such a list is made a remark; false removes it'),
  })
  .refine(hasModules, { error: 'expected the name of a kernel module', path: ['name'] })
  .describe(
    'A module of the kernel that is not loaded, and with `persist` not listed for boot either. A module that is built ' +
      'into the kernel, or in use, cannot be removed.',
  );

type PresentArgs = z.infer<typeof presentSchema>;
type AbsentArgs = z.infer<typeof absentSchema>;
type Named = { name: string; mods?: readonly string[] };

function hasModules({ name, mods }: Named): boolean {
  return mods !== undefined || moduleName.safeParse(name).success;
}

function modulesOf({ name, mods }: Named): readonly string[] {
  return mods ?? [name.replaceAll('-', '_')];
}

async function readPresent(args: PresentArgs, host: HostView): Promise<Modules> {
  const there = new Set([...(await loadedModules(host)), ...(await builtinModules(host))]);
  for (const name of modulesOf(args)) if (!there.has(name)) await needModule(name, host);
  return {
    mods: modulesOf(args).filter((name) => there.has(name)),
    listed: await listedOf(args, host),
  };
}

/** Looks how it would be loaded, and loads nothing. */
async function needModule(name: string, host: HostView): Promise<void> {
  const answer = await host.query(['modprobe', '--dry-run', '--', name]);
  if (answer.exitCode === 0) return;
  const why = answer.exitCode === 127 ? 'this host has no modprobe' : lastWords(answer);
  const lacks = ['package:kmod', `module:${name}`];
  const message = `Cannot load the kernel module "${name}": ${why}`;
  throw new ConductorError('STATE_REFUSED', message, { lacks });
}

async function listedOf(args: Named, host: HostView): Promise<string[]> {
  const lists = await moduleLists(host);
  const listed = new Set([...lists.values()].flatMap(modulesIn));
  return modulesOf(args).filter((name) => listed.has(name));
}

function want(args: PresentArgs): Partial<Modules> {
  const mods = modulesOf(args);
  return { mods, ...(args.persist ? { listed: mods } : {}) };
}

async function applyPresent(change: Change<Modules>, args: PresentArgs, host: Host): Promise<void> {
  const { mods, listed } = await readPresent(args, host);
  const missing = modulesOf(args).filter((name) => !mods.includes(name));
  if (missing.length > 0) await host.run(['modprobe', '--all', '--', ...missing]);
  if (change.action === 'remove' || change.to.listed === undefined) return;
  const own = Buffer.from((await host.readFile(OWN_LIST)) ?? []).toString('latin1');
  const text = modulesOf(args)
    .filter((name) => !listed.includes(name))
    .reduce(withModule, own);
  await host.writeFile(OWN_LIST, Buffer.from(text, 'latin1'));
}

async function readAbsent(args: AbsentArgs, host: HostView): Promise<Modules | null> {
  const builtin = await builtinModules(host);
  for (const name of modulesOf(args)) if (builtin.has(name)) throw isBuiltin(name);
  const loaded = await loadedModules(host);
  const mods = modulesOf(args).filter((name) => loaded.has(name));
  const listed = args.persist ? await listedOf(args, host) : [];
  return mods.length + listed.length === 0 ? null : { mods, listed };
}

function isBuiltin(name: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot remove the kernel module "${name}": it is built into the kernel`,
    { lacks: [] },
  );
}

async function applyAbsent(change: Change<Modules>, args: AbsentArgs, host: Host): Promise<void> {
  if (change.action !== 'remove') return;
  const { mods, listed } = change.from;
  if (mods.length > 0) await host.run(['modprobe', '--remove', '--', ...mods]);
  if (listed.length === 0) return;
  for (const [path, text] of await moduleLists(host)) {
    const left = listed.reduce((rest, name) => withoutModule(rest, name, args.comment), text);
    if (left !== text) await host.writeFile(path, Buffer.from(left, 'latin1'));
  }
}

export const kmodPresent = defineState({
  name: 'kmod.present',
  provides: () => [KERNEL],
  schema: presentSchema,
  example: `br_netfilter:
  kmod.present:
    persist: true
`,
  needs: () => ['package:kmod'],
  read: readPresent,
  want,
  apply: applyPresent,
});

export const kmodAbsent = defineState({
  name: 'kmod.absent',
  schema: absentSchema,
  example: `floppy:
  kmod.absent:
    persist: true
`,
  needs: () => ['package:kmod'],
  read: readAbsent,
  want: () => null,
  apply: applyAbsent,
});
