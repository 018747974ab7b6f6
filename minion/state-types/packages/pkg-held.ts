import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { packagesChanged, readPackages } from '../lib/packages.ts';
import { nameList, packageName } from './pkg-schema.ts';

/** Of the packages that are declared, those that are held; and which others are. */
type Holds = { held: readonly string[]; others: readonly string[] };

const fields = {
  name: z.string().min(1).describe('Name of the package; only a title if `pkgs` is given'),
  pkgs: nameList.describe('Several packages'),
};
const WRONG_NAME = { error: 'expected the name of a Debian package', path: ['name'] };

const heldSchema = z
  .strictObject({
    ...fields,
    replace: z.boolean().default(false).describe('Whether all other packages are held no longer'),
  })
  .refine(named, WRONG_NAME)
  .describe(
    'Debian packages that are held: nothing upgrades or removes them, by accident, until the hold is lifted. ' +
      'They must be installed.',
  );

const unheldSchema = z
  .strictObject({
    ...fields,
    all: z.boolean().default(false).describe('Whether no package at all is held'),
  })
  .refine((args) => args.all || named(args), WRONG_NAME)
  .describe('Debian packages that are not held, so that they are upgraded with all others.');

type HeldArgs = z.infer<typeof heldSchema>;
type UnheldArgs = z.infer<typeof unheldSchema>;

function named({ name, pkgs }: { name: string; pkgs?: readonly string[] }): boolean {
  return pkgs !== undefined || packageName.safeParse(name).success;
}

function namesOf({ name, pkgs }: { name: string; pkgs?: readonly string[] }): readonly string[] {
  return [...new Set(pkgs ?? [name])].toSorted();
}

async function read(args: HeldArgs | UnheldArgs, host: HostView): Promise<Holds> {
  const { installed } = await readPackages(host);
  const names = namesOf(args);
  const all = [...installed].filter(([, { isHeld }]) => isHeld).map(([name]) => name);
  return {
    held: names.filter((name) => all.includes(name)),
    // Every package is known as name:architecture, too.
    others: all.filter((name) => !name.includes(':') && !names.includes(name)).toSorted(),
  };
}

async function needInstalled(args: HeldArgs, host: HostView): Promise<void> {
  const { installed } = await readPackages(host);
  const missing = namesOf(args).find((name) => !installed.has(name));
  if (missing === undefined) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot hold "${missing}": it is not installed (pkg.installed with hold: true does both)`,
    { lacks: [`package:${missing}`] },
  );
}

async function hold(change: Change<Holds>, args: HeldArgs, host: Host): Promise<void> {
  if (change.action !== 'update') return;
  const names = namesOf(args);
  const { held, others } = change.to;
  if (held !== undefined) await mark('hold', names, host);
  if (others !== undefined) await mark('unhold', change.from.others, host);
}

async function unhold(change: Change<Holds>, host: Host): Promise<void> {
  if (change.action !== 'update') return;
  const { held, others } = change.to;
  const names = [
    ...(held === undefined ? [] : change.from.held),
    ...(others === undefined ? [] : change.from.others),
  ];
  await mark('unhold', names, host);
}

async function mark(what: 'hold' | 'unhold', names: readonly string[], host: Host): Promise<void> {
  await host.run(['apt-mark', what, ...names]);
  packagesChanged(host);
}

export const pkgHeld = defineState<HeldArgs, Holds>({
  name: 'pkg.held',
  schema: heldSchema,
  example: `the database is upgraded by hand:
  pkg.held:
    pkgs: [postgresql-15, postgresql-client-15]
`,
  needs: (args) => namesOf(args).map((name) => `package:${name}`),
  read,
  want: (args) => ({ held: namesOf(args), ...(args.replace ? { others: [] } : {}) }),
  refuses: (_change, args, host) => needInstalled(args, host),
  apply: hold,
});

export const pkgUnheld = defineState<UnheldArgs, Holds>({
  name: 'pkg.unheld',
  schema: unheldSchema,
  example: `nothing is held:
  pkg.unheld:
    all: true
`,
  read,
  want: ({ all }) => ({ held: [], ...(all ? { others: [] } : {}) }),
  apply: (change, _args, host) => unhold(change, host),
});
