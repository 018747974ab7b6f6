import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { askServer, tellServer } from './lib/postgres.ts';
import { guardDependents } from './lib/postgres-dependents.ts';
import { objectName, serverFields, serverNeeds } from './lib/postgres-fields.ts';
import type { Server } from './lib/postgres-fields.ts';
import { said } from '../lib/said.ts';

type Extension = { schema: string; ext_version: string };
type Named = Server & { name: string; cascade?: boolean };

const EXTENSIONS = `SELECT coalesce(json_object_agg(extname,
  json_build_object('schema', nspname, 'ext_version', extversion)), '{}')
  FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace;`;
const answer = z.record(
  z.string(),
  z.strictObject({ schema: z.string(), ext_version: z.string() }),
);

const presentSchema = z
  .strictObject({
    name: objectName.describe('Name of the extension'),
    schema: objectName.exactOptional().describe('The schema that its objects are in'),
    ext_version: z
      .union([z.string(), z.number()])
      .transform(String)
      .pipe(z.string().regex(/^[\w.+~-]{1,60}$/u, { error: 'expected a version such as 1.3' }))
      .exactOptional()
      .describe(
        'Its version, in quotes where YAML takes it for a number; the newest for a new one',
      ),
    if_not_exists: z
      .literal(true, { error: 'an extension that is there is never made a second time' })
      .exactOptional()
      .describe('Always so'),
    cascade: z
      .boolean()
      .exactOptional()
      .describe('Whether the extensions that it needs are made with it'),
    ...serverFields,
  })
  .describe(
    'An extension in the PostgreSQL database `maintenance_db`, brought to another version or schema where one is given. ' +
      'Its files come from a package of the system.',
  );
type Args = z.infer<typeof presentSchema>;

export const postgresExtensionPresent = defineState<Args, Extension>({
  name: 'postgres_extension.present',
  schema: presentSchema,
  example: `search without accents:
  postgres_extension.present:
    name: unaccent
    maintenance_db: openknesset
`,
  provides: ({ name, maintenance_db: database }) => [`postgres-extension:${database}/${name}`],
  needs: (args) => [
    ...needs(args),
    ...(args.schema === undefined ? [] : [`postgres-schema:${args.maintenance_db}/${args.schema}`]),
  ],
  read,
  want: ({ schema, ext_version }) => said({ schema, ext_version }),
  refuses: (change, args, host) => needFiles(change, args, host),
  apply,
});

export const postgresExtensionAbsent = defineState<Named, Extension>({
  name: 'postgres_extension.absent',
  schema: z
    .strictObject({
      name: objectName.describe('Name of the extension'),
      if_exists: z
        .literal(true, { error: 'an extension that is not there is never dropped' })
        .exactOptional()
        .describe('Always so'),
      cascade: z
        .boolean()
        .exactOptional()
        .describe(
          'Whether all that depends on it is dropped too, tables and their columns included',
        ),
      restrict: z
        .literal(true, { error: 'for the opposite give cascade: true' })
        .exactOptional()
        .describe('So without `cascade`'),
      ...serverFields,
    })
    .refine(({ cascade, restrict }) => !(cascade === true && restrict === true), {
      error: 'expected either `cascade` or `restrict`',
      path: ['restrict'],
    })
    .describe(
      'No such extension in the PostgreSQL database `maintenance_db`. One that something depends on is not dropped, ' +
        'unless `cascade` says so.',
    ),
  example: `no dblink:
  postgres_extension.absent:
    name: dblink
    maintenance_db: openknesset
`,
  needs,
  read,
  want: () => null,
  async refuses(_change, args, host) {
    if (args.cascade !== true) await guardDependents('extension', args.name, host, args);
  },
  apply,
});

function needs(args: Named): string[] {
  return [...serverNeeds(args), `postgres-database:${args.maintenance_db}`];
}

async function read(args: Named, host: HostView): Promise<Extension | null> {
  const extensions = await askServer(host, args, {
    subject: 'extensions',
    sql: EXTENSIONS,
    answer,
  });
  return (Object.hasOwn(extensions, args.name) ? extensions[args.name] : undefined) ?? null;
}

const POSSIBLE = `SELECT json_build_object(
  'versions', (SELECT coalesce(json_agg(version), '[]') FROM pg_available_extension_versions WHERE name = :'name'),
  'requires', (SELECT coalesce(json_agg(needed), '[]') FROM pg_available_extension_versions v
    JOIN pg_available_extensions e ON e.name = v.name, unnest(v.requires) needed
    WHERE v.name = :'name' AND v.version = coalesce(nullif(:'version', ''), e.default_version)
    AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = needed)),
  'schemas', (SELECT json_agg(nspname) FROM pg_namespace));`;
const possible = z.strictObject({
  versions: z.array(z.string()),
  requires: z.array(z.string()),
  schemas: z.array(z.string()),
});

/** An extension is made of files that a package brings, and of others that it stands on. */
async function needFiles(change: Change<Extension>, args: Args, host: HostView): Promise<void> {
  const { name, ext_version: version = '' } = args;
  const found = await askServer(host, args, {
    subject: `extension ${name} ${version}`,
    sql: POSSIBLE,
    values: { name, version },
    answer: possible,
  });
  const why = whyNot(change, args, found);
  if (why === null) return;
  const [words, ...lacks] = why;
  const message = `Cannot make the extension "${name}": ${words}`;
  throw new ConductorError('STATE_REFUSED', message, lacks.length === 0 ? {} : { lacks });
}

/** What keeps it from being made, and what would have to be there; `null` if nothing does. */
function whyNot(
  { action }: Change<Extension>,
  { schema, ext_version: version, maintenance_db: database, cascade }: Args,
  { versions, requires, schemas }: z.infer<typeof possible>,
): readonly [words: string, ...lacks: string[]] | null {
  const [needed] = action === 'create' && cascade !== true ? requires : [];
  if (versions.length === 0)
    return ['the server has no files of it (a package of the system brings them)'];
  if (version !== undefined && !versions.includes(version))
    return [`the server has no version "${version}" of it`];
  if (schema !== undefined && !schemas.includes(schema)) {
    const missing = `postgres-schema:${database}/${schema}`;
    return [`database "${database}" has no schema "${schema}"`, missing];
  }
  if (needed === undefined) return null;
  const missing = `postgres-extension:${database}/${needed}`;
  return [`it needs the extension "${needed}" (cascade: true makes it)`, missing];
}

async function apply(change: Change<Extension>, args: Named, host: Host): Promise<void> {
  const values = { name: args.name };
  const cascade = args.cascade === true ? ' CASCADE' : '';
  if (change.action === 'remove')
    return tellServer(host, args, [`DROP EXTENSION :"name"${cascade}`], values);
  const { schema, ext_version } = change.to;
  const all = { ...values, ...change.to };
  if (change.action === 'create') {
    const parts = ['CREATE EXTENSION :"name"'];
    if (schema !== undefined) parts.push('SCHEMA :"schema"');
    if (ext_version !== undefined) parts.push(`VERSION :'ext_version'`);
    return tellServer(host, args, [`${parts.join(' ')}${cascade}`], all);
  }
  const sql: string[] = [];
  if (ext_version !== undefined) sql.push(`ALTER EXTENSION :"name" UPDATE TO :'ext_version'`);
  if (schema !== undefined) sql.push('ALTER EXTENSION :"name" SET SCHEMA :"schema"');
  return tellServer(host, args, sql, all);
}
