import type { Change } from '../../../shared/change.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { makeParents, wantedOwnership } from '../lib/ownership.ts';
import { refuseMarked, refuseMounts, refusePlace } from '../lib/places.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { ownersSettled, there } from '../lib/settled.ts';
import { providedBelow } from './lib/clean.ts';
import { survey } from './lib/recursion.ts';
import { filesOf, filesSettled } from './lib/recursion-files.ts';
import { bringAbout } from './lib/recursion-write.ts';
import { shortList } from './lib/short-list.ts';
import { recurseSchema } from './file-recurse-schema.ts';
import type { RecurseArgs } from './file-recurse-schema.ts';

/** How a directory is compared with one of the tree. */
export type Recursed = {
  kind: 'directory';
  /** How many of the tree's files are right. */
  files: number;
  user: string;
  group: string;
  mode: string;
  /** The texts of the first files whose content differs, one after the other. */
  content: string;
  /** What is not as it should be, and what of it. */
  differs: readonly string[];
  /** What is there and should not be, if that is asked. */
  clean?: readonly string[];
};

async function read(args: RecurseArgs, host: HostView): Promise<Recursed | null> {
  const found = await survey(args, host);
  if (found === null) return null;
  const { user, group, mode } = found.status;
  return {
    kind: 'directory',
    files: found.right,
    user,
    group,
    mode,
    content: found.texts.map(({ to, from }) => section(to, from)).join(''),
    differs: shortList(found.wrong.map(({ path, why }) => `${path}: ${why}`)),
    ...(args.clean ? { clean: shortList(found.unwanted) } : {}),
  };
}

async function want(args: RecurseArgs, host: HostView): Promise<Partial<Recursed>> {
  const [found, owners] = await Promise.all([
    survey(args, host),
    wantedOwnership(ownersArgs(args), host),
  ]);
  const known = { kind: 'directory' as const, files: filesOf(args).length, ...owners };
  if (found === null) return known;
  const content = found.texts.map(({ to, wanted }) => section(to, wanted)).join('');
  return { ...known, content, differs: [], ...(args.clean ? { clean: [] } : {}) };
}

function section(path: string, text: string): string {
  return `==> ${path} <==\n${text}${text.endsWith('\n') ? '' : '\n'}`;
}

function ownersArgs({ user, group, dir_mode: mode }: RecurseArgs) {
  return said({ user, group, mode });
}

/** As many paths as fit into one command. */
const MARKS_AT_ONCE = 500;

async function refuses(
  _change: Change<Recursed>,
  args: RecurseArgs,
  host: HostView,
): Promise<void> {
  const { name } = args;
  await refusePlace({ name, makedirs: true }, host);
  const { unwanted = [], wrong = [] } = (await survey(args, host)) ?? {};
  const inPlace = wrong.map(({ path }) => `${name}/${path}`);
  for (let at = 0; at < inPlace.length; at += MARKS_AT_ONCE)
    await refuseMarked(inPlace.slice(at, at + MARKS_AT_ONCE), host);
  await refuseMounts(
    unwanted.map((path) => `${name}/${path}`),
    host,
  );
}

async function apply(change: Change<Recursed>, args: RecurseArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const ownership = ownersArgs(args);
  if (change.action === 'create') {
    await makeParents({ ...ownership, name: args.name, makedirs: true }, host);
    await host.makeDirectory(args.name, ownership);
  } else if ((change.to.user ?? change.to.group ?? change.to.mode) !== undefined) {
    await host.own(args.name, ownership);
  }
  await bringAbout(args, host);
}

export const fileRecurse = defineState({
  name: 'file.recurse',
  schema: recurseSchema,
  example: `/etc/nginx/snippets:
  file.recurse:
    source: nginx/snippets
    file_mode: "0644"
    clean: true
`,
  treeDirectories: ['source'],
  modeArgument: 'file_mode',
  textAttribute: 'content',
  isRelative: true,
  provides: (args: RecurseArgs) => [
    `path:${args.name}`,
    ...filesOf(args).map(({ to }) => `path:${args.name}/${to}`),
  ],
  settles: (args: RecurseArgs) => ({
    ...there(`path:${args.name}`, { kind: 'directory', ...ownersSettled(ownersArgs(args)) }),
    ...filesSettled(args),
  }),
  needs: ({ name, user, group }: RecurseArgs) => [
    ...parentsOf(name),
    ...ownersOf(said({ user, group })),
  ],
  knowing(args: RecurseArgs, surroundings: Surroundings): RecurseArgs {
    return args.clean ? { ...args, kept: providedBelow(args.name, surroundings) } : args;
  },
  async clears(args: RecurseArgs, host: HostView) {
    const { unwanted = [] } = (await survey(args, host)) ?? {};
    return unwanted.map((path) => `${args.name}/${path}`);
  },
  read,
  want,
  refuses,
  apply,
});
