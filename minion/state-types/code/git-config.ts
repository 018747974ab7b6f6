import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Argv, Host, HostView } from '../../host/host.ts';
import { modeOf, optionsFor, refuseFile, rewrite } from './lib/git-config-file.ts';
import type { Where } from './lib/git-config-file.ts';
import { canonicalName } from './lib/git-config-text.ts';
import { failed } from '../lib/ask.ts';
import { MAY_HOLD_SECRET, absolutePath, accountName } from '../lib/fields.ts';
import { said } from '../lib/said.ts';
import { closedMode } from '../lib/secrecy.ts';

/** The values of one setting, and who can read it. */
type Setting = { value: string | null; multivar: readonly string[]; mode?: string };
/** Settings that match, as `name=value`. */
type Settings = { settings: readonly string[] };

const text = z.union([z.string().regex(/^[^\0]*$/u), z.number(), z.boolean()]).transform(String);

const where = {
  repo: absolutePath
    .exactOptional()
    .describe('The working copy or repository whose own configuration it is'),
  global: z.boolean().default(false).describe("Whether it is the account's own configuration"),
  user: accountName
    .exactOptional()
    .describe('The account; that of the repository, or root, if absent'),
};

const isPlaced = ({ repo, global }: { repo?: unknown; global: boolean }): boolean =>
  (repo === undefined) === global;
const PLACED = { error: 'say either `repo` or `global: true`', path: ['repo'] };

const setSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9-]+\.(?:[^\0\n]+\.)?[A-Za-z][A-Za-z0-9-]*$/u, {
        error: 'expected the name of a setting, such as user.email',
      })
      .describe('Name of the setting, such as user.email')
      .meta(MAY_HOLD_SECRET),
    value: text.exactOptional().describe('Its value, which stands on no command line'),
    multivar: z.array(text).min(1).exactOptional().describe('All its values, if it has several'),
    ...where,
  })
  .refine(isPlaced, PLACED)
  .refine(({ value, multivar }) => (value === undefined) !== (multivar === undefined), {
    error: 'say either `value` or `multivar`',
    path: ['value'],
  })
  .describe(
    "A setting of git has this value, in one repository or for all of an account's. Other values of it are replaced. " +
      'With a secret in it, the file that it stands in is closed to others.',
  );
/** With `isClosed` it holds a secret, so its file is not for everybody to read. */
type SetArgs = z.infer<typeof setSchema> & { readonly isClosed?: true };

export const gitConfigSet = defineState<SetArgs, Setting>({
  name: 'git.config_set',
  schema: setSchema,
  example: `user.email:
  git.config_set:
    value: deploy@example.org
    user: openknesset
    global: true
`,
  needs: needsOf,
  writes: ({ repo }) => (repo === undefined ? [] : [`${repo}/.git/config`]),
  knowing: (args, { holdsSecret }) => (holdsSecret ? { ...args, isClosed: true } : args),
  async read(args, host) {
    const values = await valuesOf(args, host);
    if (values.length === 0) return null;
    const mode = args.isClosed === true ? await modeOf(args, host) : undefined;
    const value = values.length === 1 ? (values[0] ?? null) : null;
    return { value, multivar: values, ...said({ mode }) };
  },
  async want({ value, multivar, ...args }, host) {
    const mode = args.isClosed === true ? await modeOf(args, host) : undefined;
    return said({ value, multivar, mode: mode === undefined ? undefined : closedMode(mode) });
  },
  refuses: (_change, args, host) => refuseFile(args, host),
  async apply(change, args, host) {
    if (change.action === 'remove') return;
    const { name, value, multivar = [] } = args;
    const values = value === undefined ? multivar : [value];
    await rewrite(host, args, [{ name, values, pattern: null }]);
  },
});

const unsetSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[^\0\n]+$/u)
      .describe('Name of the setting, or a regular expression that the whole name matches')
      .meta(MAY_HOLD_SECRET),
    value_regex: z
      .string()
      .regex(/^[^\0\n]+$/u)
      .exactOptional()
      .describe('Only values that this regular expression matches'),
    all: z
      .boolean()
      .default(false)
      .describe('Whether all that match are taken away; otherwise several are refused'),
    ...where,
  })
  .refine(isPlaced, PLACED)
  .describe(
    "A setting of git has no value, in one repository or among all of an account's. Sections are left where they are.",
  );
type UnsetArgs = z.infer<typeof unsetSchema>;

export const gitConfigUnset = defineState<UnsetArgs, Settings>({
  name: 'git.config_unset',
  schema: unsetSchema,
  example: `no proxy:
  git.config_unset:
    name: http.proxy
    repo: /srv/projects/openknesset/code
`,
  needs: needsOf,
  async read(args, host) {
    const found = await matching(args, host);
    return found.length === 0 ? null : { settings: found.map((one) => one.join('=')) };
  },
  want: () => null,
  async refuses(change, args, host) {
    await refuseFile(args, host);
    const count = change.action === 'remove' ? change.from.settings.length : 0;
    if (count < 2 || args.all) return;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot take away the setting "${args.name}": ${count} values match (all: true takes them all away)`,
    );
  },
  apply: unset,
});

async function unset(_change: Change<Settings>, args: UnsetArgs, host: Host): Promise<void> {
  const found = await matching(args, host);
  const pattern = args.value_regex ?? null;
  const names = [...new Set(found.map(([name]) => name))];
  const edits = names.map((name) => ({ name, values: [], pattern }));
  await rewrite(host, args, edits);
}

async function valuesOf(args: SetArgs, host: HostView): Promise<string[]> {
  return (await called(args, host)).map(([, value]) => value);
}

/** Of all settings: the name of one may hold an address with a token in it, so git is not asked for it. */
async function called(args: Where & { name: string }, host: HostView): Promise<Named[]> {
  const asked = canonicalName(args.name);
  const all = ((await look(args, ['--get-regexp', '.'], host)) ?? []).map(settingOf);
  return all.filter(([name]) => name === asked);
}

/** Names and values of the settings that match. */
async function matching(args: UnsetArgs, host: HostView): Promise<Named[]> {
  if (args.value_regex === undefined && !/[\\^$*+?()[\]{}|]/u.test(args.name))
    return called(args, host);
  const only = args.value_regex === undefined ? [] : [args.value_regex];
  const found = (await look(args, ['--get-regexp', `^(${args.name})$`, ...only], host)) ?? [];
  return found.map(settingOf);
}

type Named = [name: string, value: string];

function settingOf(entry: string): Named {
  const end = entry.indexOf('\n');
  return end < 0 ? [entry, ''] : [entry.slice(0, end), entry.slice(end + 1)];
}

/** What git answers, entry by entry; `null` if there is no such repository yet. */
async function look(
  args: Where,
  words: readonly string[],
  host: HostView,
): Promise<string[] | null> {
  if (args.repo !== undefined && (await host.status(args.repo)) === null) return null;
  const argv = commandFor(args, ['--null', ...words]);
  const output = await host.query(argv, await optionsFor(args, host));
  if (output.exitCode === 1) return [];
  if (output.exitCode !== 0) throw failed('look at the configuration of git', argv, output);
  return output.stdout.split('\0').slice(0, -1);
}

function commandFor({ global }: Where, words: readonly string[]): Argv {
  return ['git', 'config', global ? '--global' : '--local', ...words];
}

function needsOf({ repo, user }: Where): string[] {
  return [
    'package:git',
    ...(repo === undefined ? [] : [`checkout:${repo}`, `path:${repo}`]),
    ...(user === undefined ? [] : [`user:${user}`]),
  ];
}
