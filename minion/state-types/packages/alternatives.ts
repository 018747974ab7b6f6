import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath } from '../lib/fields.ts';
import { parentsOf } from '../lib/resources.ts';
import { readAlternatives } from './lib/alternatives.ts';
import type { Alternatives } from './lib/alternatives.ts';

type Choice = {
  link: string;
  /** `null` of one that is in use and is no alternative any more. */
  priority: number | null;
  /** In automatic mode the best one is in use. */
  best_in_use: boolean;
};
type Current = { path: string | null; manual: boolean };
type Automatic = { auto: boolean; path: string | null };

const name = z
  .string()
  .regex(/^[\w.+-]+$/u, { error: 'expected the name of a group of alternatives, such as editor' })
  .describe('Name of the group of alternatives, such as editor');
const path = absolutePath.describe('The file that is one of the alternatives');

const installSchema = z
  .strictObject({
    name,
    link: absolutePath.describe('The generic path that leads to the alternative in use'),
    path,
    priority: z.int().describe('In automatic mode the alternative with the highest one is used'),
  })
  .describe('A file is one of the alternatives behind a generic path, such as /usr/bin/editor.');

const pathSchema = z.strictObject({ name, path });
const setSchema = pathSchema.describe(
  'One alternative is the one in use, whatever the priorities are, until somebody chooses another.',
);
const removeSchema = pathSchema.describe('A file is none of the alternatives of a group.');
const autoSchema = z
  .strictObject({ name })
  .describe('The alternative with the highest priority is the one in use.');

type InstallArgs = z.infer<typeof installSchema>;
type PathArgs = z.infer<typeof pathSchema>;
type AutoArgs = z.infer<typeof autoSchema>;

async function readChoice(args: PathArgs, host: HostView): Promise<Choice | null> {
  const group = await readAlternatives(args.name, host);
  if (group === null) return null;
  const priority = group.priorities.get(args.path) ?? null;
  if (priority === null && group.current !== args.path) return null;
  return { link: group.link, priority, best_in_use: !lagsBehind(group) };
}

/** So it is after a kill between what dpkg writes down and the link. */
function lagsBehind({ isManual, current, best }: Alternatives): boolean {
  return !isManual && current !== best;
}

/** What was written down before counts: dpkg itself would take the link for somebody's choice. */
async function tellAndLink(group: string, words: readonly string[], host: Host): Promise<void> {
  const wasAutomatic = (await readAlternatives(group, host))?.isManual !== true;
  await tell(words, host);
  const now = await readAlternatives(group, host);
  if (wasAutomatic && now !== null && now.current !== now.best) await tell(['--auto', group], host);
}

async function tell(words: readonly string[], host: Host): Promise<void> {
  await host.run(['update-alternatives', ...words]);
  host.changed('alternatives');
}

async function needGroup({ name: group }: { name: string }, host: HostView): Promise<Alternatives> {
  const found = await readAlternatives(group, host);
  if (found !== null) return found;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot choose an alternative of "${group}": there is no such group (alternatives.install makes one)`,
    { lacks: [`alternative:${group}`] },
  );
}

export const alternativesInstall = defineState<InstallArgs, Choice>({
  name: 'alternatives.install',
  schema: installSchema,
  example: `editor:
  alternatives.install:
    link: /usr/bin/editor
    path: /opt/micro/micro
    priority: 100
`,
  provides: (args) => [
    `alternative:${args.name}`,
    `alternative:${args.name}:${args.path}`,
    `path:${args.link}`,
  ],
  needs: (args) => [`path:${args.path}`, ...parentsOf(args.path)],
  read: readChoice,
  want: ({ link, priority }) => ({ link, priority, best_in_use: true }),
  async refuses(_change, { name: group, path: file }, host) {
    if ((await host.status(file)) !== null) return;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot make "${file}" an alternative of "${group}": there is no such file`,
      { lacks: [`path:${file}`] },
    );
  },
  apply: (_change, args, host) =>
    tellAndLink(
      args.name,
      ['--install', args.link, args.name, args.path, String(args.priority)],
      host,
    ),
});

export const alternativesRemove = defineState<PathArgs, Choice>({
  name: 'alternatives.remove',
  schema: removeSchema,
  example: `editor:
  alternatives.remove:
    path: /bin/ed
`,
  read: readChoice,
  want: () => null,
  apply: (_change, args, host) => tellAndLink(args.name, ['--remove', args.name, args.path], host),
});

export const alternativesSet = defineState<PathArgs, Current>({
  name: 'alternatives.set',
  schema: setSchema,
  example: `editor:
  alternatives.set:
    path: /usr/bin/vim.basic
`,
  needs: (args) => [`alternative:${args.name}:${args.path}`, `path:${args.path}`],
  async read(args, host) {
    const { current = null, isManual = false } = (await readAlternatives(args.name, host)) ?? {};
    return { path: current, manual: isManual };
  },
  want: (args) => ({ path: args.path, manual: true }),
  async refuses(_change, args, host) {
    const { priorities } = await needGroup(args, host);
    if (priorities.has(args.path)) return;
    const lacks = [`alternative:${args.name}:${args.path}`];
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot choose "${args.path}" for "${args.name}": the alternatives are ${[...priorities.keys()].join(', ')}`,
      { lacks },
    );
  },
  apply: (_change, args, host) => tell(['--set', args.name, args.path], host),
});

export const alternativesAuto = defineState<AutoArgs, Automatic>({
  name: 'alternatives.auto',
  schema: autoSchema,
  example: `editor:
  alternatives.auto: []
`,
  async read(args, host) {
    const { current = null, isManual = true } = (await readAlternatives(args.name, host)) ?? {};
    return { auto: !isManual, path: current };
  },
  async want(args, host) {
    const group = await readAlternatives(args.name, host);
    return { auto: true, ...(group === null ? {} : { path: group.best }) };
  },
  refuses: async (_change, args, host) => void (await needGroup(args, host)),
  apply: (_change, args, host) => tell(['--auto', args.name], host),
});
