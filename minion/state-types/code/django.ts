import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Argv, CommandOptions, Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { ask } from '../lib/ask.ts';
import { absolutePath, accountName, environment } from '../lib/fields.ts';
import { parentsOf } from '../lib/resources.ts';

type Migrated = { unapplied: readonly string[] };
type Static = { stale: readonly string[] };

const COMMAND_TIMEOUT_MS = 1_800_000;
const LOOK_TIMEOUT_MS = 300_000;
/** Of many files this many are named. */
const FILES_NAMED = 30;

const word = z
  .string()
  .regex(/^(?!-)[\w.-]+$/u, { error: 'expected letters, digits, dots and dashes' });

const projectFields = {
  name: absolutePath.describe('Directory of the project: the one that holds manage.py'),
  virtualenv: absolutePath
    .exactOptional()
    .describe("The virtual environment that it runs in; the system's Python if absent"),
  user: accountName.exactOptional().describe('The account that it runs as; root if absent'),
  settings_module: word
    .exactOptional()
    .describe('The settings, such as shop.settings; those of manage.py if absent'),
  pythonpath: absolutePath
    .exactOptional()
    .describe('A directory to look for modules in before others'),
  manage: z
    .string()
    .regex(/^(?!-)[\w./-]+$/u)
    .default('manage.py')
    .describe('The management script, below the directory'),
  env: environment.exactOptional().describe('Environment of the command; never for secrets'),
};

interface Project {
  readonly name: string;
  readonly virtualenv?: string;
  readonly user?: string;
  readonly settings_module?: string;
  readonly pythonpath?: string;
  readonly manage: string;
  readonly env?: Readonly<Record<string, string>>;
}

const migratedSchema = z
  .strictObject({
    ...projectFields,
    database: word
      .exactOptional()
      .describe('Name of the database in the settings; `default` if absent'),
    app_label: word.exactOptional().describe('Only the migrations of this app'),
  })
  .describe('All migrations of a Django project are applied. A plan names those that are not.');
type MigratedArgs = z.infer<typeof migratedSchema>;

export const djangoMigrated = defineState<MigratedArgs, Migrated>({
  name: 'django.migrated',
  schema: migratedSchema,
  example: `openknesset migrations:
  django.migrated:
    name: /srv/projects/openknesset/code
    virtualenv: /srv/environments/openknesset
    user: openknesset
`,
  needs: needsOf,
  async read(args, host) {
    const words = ['showmigrations', '--plan', ...databaseOf(args), ...appOf(args)];
    const text = await askDjango(host, args, words, 'ask which migrations are applied');
    return { unapplied: parseUnapplied(text) };
  },
  want: () => ({ unapplied: [] }),
  async apply(change: Change<Migrated>, args, host) {
    if (change.action === 'remove') return;
    await tellDjango(host, args, ['migrate', '--noinput', ...databaseOf(args), ...appOf(args)]);
  },
});

const staticSchema = z
  .strictObject({
    ...projectFields,
    ignore: z
      .array(z.string().regex(/^(?!-)[^\0\r\n]+$/u))
      .default([])
      .describe('Patterns of files to leave out'),
    clear: z
      .boolean()
      .default(false)
      .describe('Deletes what was collected before, whenever something is collected'),
  })
  .describe(
    'The static files of a Django project are collected where its settings say. A plan names those that are not.',
  );
type StaticArgs = z.infer<typeof staticSchema>;

export const djangoStatic = defineState<StaticArgs, Static>({
  name: 'django.static',
  schema: staticSchema,
  example: `openknesset static files:
  django.static:
    name: /srv/projects/openknesset/code
    virtualenv: /srv/environments/openknesset
    user: openknesset
`,
  needs: needsOf,
  async read(args, host) {
    const words = ['collectstatic', '--noinput', '--dry-run', ...ignored(args)];
    const text = await askDjango(host, args, words, 'ask which static files are collected');
    return { stale: parseStale(text) };
  },
  want: () => ({ stale: [] }),
  async apply(change: Change<Static>, args, host) {
    if (change.action === 'remove') return;
    const clear = args.clear ? ['--clear'] : [];
    await tellDjango(host, args, ['collectstatic', '--noinput', ...clear, ...ignored(args)]);
  },
});

/** `[ ]  shop.0002_price` of `showmigrations --plan`. */
export function parseUnapplied(text: string): string[] {
  return [...text.matchAll(/^\[ \]\s+(\S+)/gmu)].map(([, name = '']) => name);
}

/** The files that `collectstatic --dry-run` would copy or link; of very many only the first by name. */
export function parseStale(text: string): string[] {
  const files = [...text.matchAll(/^Pretending to (?:copy|link) '(.+)'$/gmu)];
  const names = files.map(([, path = '']) => path).toSorted();
  const more = names.length - FILES_NAMED;
  return more <= 0 ? names : [...names.slice(0, FILES_NAMED), `and ${more} more`];
}

/** Looking must leave nothing behind, not even compiled modules. */
function askDjango(
  host: HostView,
  project: Project,
  words: readonly string[],
  purpose: string,
): Promise<string> {
  const options = optionsFor(project);
  const env = { ...options.env, PYTHONDONTWRITEBYTECODE: '1' };
  return ask(host, manage(project, words), `${purpose} of "${project.name}"`, {
    ...options,
    env,
    timeoutMs: LOOK_TIMEOUT_MS,
  });
}

async function tellDjango(host: Host, project: Project, words: readonly string[]): Promise<void> {
  await host.run(manage(project, words), { ...optionsFor(project), timeoutMs: COMMAND_TIMEOUT_MS });
}

function manage(project: Project, [command = '', ...words]: readonly string[]): Argv {
  const { virtualenv, settings_module, pythonpath } = project;
  const python = virtualenv === undefined ? '/usr/bin/python3' : `${virtualenv}/bin/python`;
  const settings = settings_module === undefined ? [] : [`--settings=${settings_module}`];
  const path = pythonpath === undefined ? [] : [`--pythonpath=${pythonpath}`];
  return [python, project.manage, command, '--no-color', ...settings, ...path, ...words];
}

function optionsFor({ name, user, env = {} }: Project): CommandOptions {
  return { cwd: name, env, ...(user === undefined ? {} : { user }) };
}

function databaseOf({ database }: MigratedArgs): string[] {
  return database === undefined ? [] : [`--database=${database}`];
}

function appOf({ app_label }: MigratedArgs): string[] {
  return app_label === undefined ? [] : [app_label];
}

function ignored({ ignore }: StaticArgs): string[] {
  return ignore.map((pattern) => `--ignore=${pattern}`);
}

function needsOf({ name, virtualenv, user }: Project): string[] {
  return [
    `checkout:${name}`,
    `path:${name}/manage.py`,
    `path:${name}`,
    ...parentsOf(name),
    ...(virtualenv === undefined ? ['package:python3-django'] : [`virtualenv:${virtualenv}`]),
    ...(user === undefined ? [] : [`user:${user}`]),
  ];
}
