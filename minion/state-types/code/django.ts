import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import { EXPOSED } from '../lib/fields.ts';
import { askDjango, needsOf, projectFields, tellDjango, word } from './lib/django.ts';

type Migrated = { unapplied: readonly string[] };
type Static = { stale: readonly string[] };

/** Of many files this many are named. */
const FILES_NAMED = 30;

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
  isDerived: true,
  schema: migratedSchema,
  example: `openknesset migrations:
  django.migrated:
    name: /srv/projects/openknesset/code
    virtualenv: /srv/environments/openknesset
    user: openknesset
`,
  provides: ({ name }) => [`migrations:${name}`],
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
      .describe('Patterns of files to leave out')
      .meta(EXPOSED),
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
  isDerived: true,
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

function databaseOf({ database }: MigratedArgs): string[] {
  return database === undefined ? [] : [`--database=${database}`];
}

function appOf({ app_label }: MigratedArgs): string[] {
  return app_label === undefined ? [] : [app_label];
}

function ignored({ ignore }: StaticArgs): string[] {
  return ignore.map((pattern) => `--ignore=${pattern}`);
}
