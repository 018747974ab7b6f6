import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { gone, there } from '../lib/settled.ts';
import { askServer, tellServer } from './lib/postgres.ts';
import {
  objectName,
  serverFields,
  serverNeeds,
  thingOn,
  withoutServer,
} from './lib/postgres-fields.ts';
import type { Server } from './lib/postgres-fields.ts';
import { canonicalEncoding, canonicalLocale } from './lib/postgres-names.ts';
import { needRoles } from './lib/postgres-roles.ts';

type Database = {
  owner: string;
  encoding: string;
  lc_collate: string;
  lc_ctype: string;
  tablespace: string;
};
type Named = Server & { name: string; template?: string };

const DATABASES = `SELECT json_object_agg(datname, json_build_object(
  'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding),
  'lc_collate', datcollate, 'lc_ctype', datctype, 'tablespace', spcname))
  FROM pg_database JOIN pg_tablespace t ON t.oid = dattablespace;`;

const databasesAnswer = z.record(
  z.string(),
  z.strictObject({
    owner: z.string(),
    encoding: z.string().transform(canonicalEncoding),
    lc_collate: z.string().transform(canonicalLocale),
    lc_ctype: z.string().transform(canonicalLocale),
    tablespace: z.string(),
  }),
);

const encoding = z
  .string()
  .min(1)
  .transform((name) => canonicalEncoding(name));
const locale = z.string().min(1).transform(canonicalLocale);

/** Those that every server comes with, and that clients and new databases count on. */
const OWN = ['postgres', 'template0', 'template1'];
const droppable = objectName.refine((name) => !OWN.includes(name), {
  error: `${OWN.join(', ')} are the server's own: they are never dropped`,
});

/** Fixed when a database is made. */
const FIXED = ['encoding', 'lc_collate', 'lc_ctype'] as const;

const presentSchema = z
  .strictObject({
    name: objectName.describe('Name of the database'),
    owner: objectName.exactOptional().describe('The role that owns it'),
    encoding: encoding.exactOptional().describe('Character encoding, such as UTF8'),
    lc_collate: locale.exactOptional().describe('Order of texts, such as he_IL.UTF-8'),
    lc_ctype: locale.exactOptional().describe('Classes of characters, such as he_IL.UTF-8'),
    template: objectName
      .exactOptional()
      .describe(
        'The database to copy; template0 if an encoding or locale is given, else template1',
      ),
    tablespace: objectName.exactOptional().describe('Where its tables are kept by default'),
    ...serverFields,
  })
  .describe(
    'A PostgreSQL database. Owner and tablespace can be changed later; encoding and locale are fixed when it ' +
      'is made, and a database that has others is refused, never made anew.',
  );

export const postgresDatabasePresent = defineState<z.infer<typeof presentSchema>, Database>({
  name: 'postgres_database.present',
  schema: presentSchema,
  example: `openknesset database:
  postgres_database.present:
    name: openknesset
    owner: openknesset
    encoding: UTF8
`,
  provides: ({ name }) => [`postgres-database:${name}`],
  settles: (args) => there(thingOn('database', args)),
  needs: (args) => [
    ...serverNeeds(args),
    ...(args.owner === undefined ? [] : [`postgres-role:${args.owner}`]),
  ],
  read,
  async want(args, host) {
    const { name, template, ...attributes } = withoutServer(args);
    await needOwner(args, host);
    await needTemplate(args, host);
    return attributes;
  },
  refuses,
  apply,
});

export const postgresDatabaseAbsent = defineState({
  name: 'postgres_database.absent',
  schema: z
    .strictObject({ name: droppable.describe('Name of the database'), ...serverFields })
    .refine(({ name, maintenance_db }) => name !== maintenance_db, {
      error: 'the database that is connected to cannot be dropped: give another `maintenance_db`',
      path: ['name'],
    })
    .describe('No PostgreSQL database of that name. One that is still in use is not dropped.'),
  example: `old database:
  postgres_database.absent:
    name: legacy
`,
  takes: ({ name }: Server & { name: string }) => [`postgres-database:${name}`],
  settles: (args: Named) => gone([thingOn('database', args)]),
  needs: serverNeeds,
  read,
  want: () => null,
  apply,
});

async function read(args: Named, host: HostView): Promise<Database | null> {
  const databases = await readDatabases(args, host);
  return (Object.hasOwn(databases, args.name) ? databases[args.name] : undefined) ?? null;
}

function readDatabases(args: Server, host: HostView) {
  const question = { subject: 'databases', sql: DATABASES, answer: databasesAnswer };
  return askServer(host, args, question);
}

/** One that is the owner already is there. */
async function needOwner(args: Named & { owner?: string }, host: HostView): Promise<void> {
  const { name, owner } = args;
  if (owner === undefined || (await read(args, host))?.owner === owner) return;
  await needRoles([owner], `Cannot give the database "${name}" its owner`, host, args);
}

/** It is copied once: later it may be gone. */
async function needTemplate(args: Named, host: HostView): Promise<void> {
  const { name, template } = args;
  const databases = await readDatabases(args, host);
  if (template === undefined || [name, template].some((one) => Object.hasOwn(databases, one)))
    return;
  const message = `Cannot make the database "${name}": there is no database "${template}" to copy`;
  const lacks = [`postgres-database:${template}`];
  throw new ConductorError('STATE_REFUSED', message, { lacks });
}

const POSSIBLE = `SELECT json_build_object('encoding', pg_char_to_encoding(:'encoding') >= 0,
  'tablespace', EXISTS (SELECT FROM pg_tablespace WHERE spcname = :'tablespace'));`;
const possible = z.strictObject({ encoding: z.boolean(), tablespace: z.boolean() });

async function refuses(change: Change<Database>, args: Named, host: HostView): Promise<void> {
  if (change.action === 'remove') return;
  const fixed = FIXED.find((one) => change.to[one] !== undefined);
  if (change.action === 'update' && fixed !== undefined)
    throw cannotChange(args.name, fixed, change.from);
  await needPossible(change.to, args, host);
}

async function needPossible(
  { encoding: set = '', tablespace: place = '' }: Partial<Database>,
  args: Named,
  host: HostView,
): Promise<void> {
  if (`${set}${place}` === '') return;
  const has = await askServer(host, args, {
    subject: `encoding ${set} and tablespace ${place}`,
    sql: POSSIBLE,
    values: { encoding: set, tablespace: place },
    answer: possible,
  });
  if (set !== '' && !has.encoding) throw hasNone(args.name, `encoding "${set}"`);
  if (place !== '' && !has.tablespace) throw hasNone(args.name, `tablespace "${place}"`);
}

function hasNone(name: string, what: string): ConductorError {
  const message = `Cannot make the database "${name}" as it should be: the server has no ${what}`;
  return new ConductorError('STATE_REFUSED', message, { lacks: [] });
}

async function apply(change: Change<Database>, args: Named, host: Host): Promise<void> {
  const database = { name: args.name };
  if (change.action === 'remove')
    return tellServer(host, args, ['DROP DATABASE :"name"'], database);
  if (change.action === 'create') {
    const { sql, values } = creation(change.to, args);
    return tellServer(host, args, [sql], values);
  }
  const { to } = change;
  const sql: string[] = [];
  if (to.owner !== undefined) sql.push('ALTER DATABASE :"name" OWNER TO :"owner"');
  if (to.tablespace !== undefined) sql.push('ALTER DATABASE :"name" SET TABLESPACE :"tablespace"');
  return tellServer(host, args, sql, { ...database, ...to });
}

function creation(to: Partial<Database>, { name, template }: Named) {
  const isChosen = FIXED.some((fixed) => to[fixed] !== undefined);
  const parts = ['CREATE DATABASE :"name" TEMPLATE :"template"'];
  if (to.owner !== undefined) parts.push('OWNER :"owner"');
  if (to.encoding !== undefined) parts.push("ENCODING :'encoding'");
  if (to.lc_collate !== undefined) parts.push("LC_COLLATE :'lc_collate'");
  if (to.lc_ctype !== undefined) parts.push("LC_CTYPE :'lc_ctype'");
  if (to.tablespace !== undefined) parts.push('TABLESPACE :"tablespace"');
  const values = { ...to, name, template: template ?? (isChosen ? 'template0' : 'template1') };
  return { sql: parts.join(' '), values };
}

function cannotChange(name: string, fixed: (typeof FIXED)[number], from: Database): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot change the ${fixed} of database "${name}": it is "${from[fixed]}", fixed when the database was made`,
    { lacks: [] },
  );
}
