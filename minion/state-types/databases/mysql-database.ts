import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { gone, there } from '../lib/settled.ts';
import { askServer, complaintAbout, tellServer } from './lib/mysql.ts';
import { databaseField, serverFields, serverNeeds, withoutServer } from './lib/mysql-fields.ts';
import { identifier } from './lib/mysql-quote.ts';
import type { Server } from './lib/mysql-fields.ts';

type Database = { character_set: string; collate: string };
type Named = Server & { name: string };

const word = z
  .string()
  .regex(/^[a-z0-9_]+$/iu, { error: 'expected a name such as utf8mb4 or utf8mb4_unicode_ci' })
  .transform((name) => canonical(name.toLowerCase()));
const databaseRow = z.strictObject({
  name: z.string(),
  character_set: z.string().transform((name) => canonical(name)),
  collate: z.string().transform((name) => canonical(name)),
});

const presentSchema = z
  .strictObject({
    name: databaseField.describe('Name of the database'),
    character_set: word.exactOptional().describe('Character set of new tables, such as utf8mb4'),
    collate: word
      .exactOptional()
      .describe('Order of texts in new tables, such as utf8mb4_unicode_ci'),
    ...serverFields,
  })
  .describe(
    'A MariaDB or MySQL database, with the character set and collation that new tables get.',
  );

/** The server keeps its accounts and its own state there; some servers take these names in any case. */
const OWN = ['mysql', 'information_schema', 'performance_schema', 'sys'];
const droppable = databaseField.refine((name) => !OWN.includes(name.toLowerCase()), {
  error: `${OWN.join(', ')} are the server's own: they are never dropped`,
});

/** `utf8` is the old name of what servers call `utf8mb3` today. */
function canonical(name: string): string {
  return name.replace(/^utf8(?=_|$)/u, 'utf8mb3');
}

export const mysqlDatabasePresent = defineState<z.infer<typeof presentSchema>, Database>({
  name: 'mysql_database.present',
  schema: presentSchema,
  example: `shop database:
  mysql_database.present:
    name: shop
    character_set: utf8mb4
    collate: utf8mb4_unicode_ci
`,
  provides: ({ name }) => [`mysql-database:${name}`],
  settles: (args) => there(thingOn(args)),
  needs: serverNeeds,
  read,
  want(args) {
    const { name, ...attributes } = withoutServer(args);
    return attributes;
  },
  refuses,
  apply,
});

export const mysqlDatabaseAbsent = defineState({
  name: 'mysql_database.absent',
  schema: z
    .strictObject({ name: droppable.describe('Name of the database'), ...serverFields })
    .describe('No MariaDB or MySQL database of that name. All that is in it is deleted.'),
  example: `old database:
  mysql_database.absent:
    name: legacy
`,
  takes: ({ name }: Named) => [`mysql-database:${name}`],
  settles: (args: Server & Known) => gone([thingOn(args)]),
  needs: serverNeeds,
  read,
  want: () => null,
  apply,
});

const DATABASES = `SELECT JSON_OBJECT('name', SCHEMA_NAME,
  'character_set', DEFAULT_CHARACTER_SET_NAME, 'collate', DEFAULT_COLLATION_NAME)
  FROM information_schema.SCHEMATA;`;

/** What tells it from others. */
interface Known {
  readonly name: string;
  readonly connection_host?: string;
}

function thingOn({ name, connection_host: server = 'this host' }: Known): string {
  return `MariaDB database:${name} on ${server}`;
}

async function read(args: Named, host: HostView): Promise<Database | null> {
  const databases = await askServer(host, args, databaseRow, DATABASES);
  const found = databases.find(({ name }) => name === args.name);
  if (found === undefined) return null;
  const { character_set, collate } = found;
  return { character_set, collate };
}

/** Whether the server knows the names, and they fit together, it says itself when it converts an empty text. */
async function refuses(
  _change: Change<Database>,
  { character_set: set, collate, ...args }: Named & Partial<Database>,
  host: HostView,
): Promise<void> {
  if ((set ?? collate) === undefined) return;
  const order = collate === undefined ? '' : ` COLLATE ${collate}`;
  const sql =
    set === undefined
      ? `SET SESSION collation_connection = ${collate};`
      : `SELECT CONVERT('' USING ${set})${order};`;
  const complaint = await complaintAbout(host, args, sql);
  if (complaint === null) return;
  const message = `Cannot make the database "${args.name}" as it should be: ${complaint}`;
  throw new ConductorError('STATE_REFUSED', message, { lacks: [] });
}

/** That it is there or gone already, by a statement that outlived a killed client, is no failure: the engine looks again. */
async function apply(change: Change<Database>, args: Named, host: Host): Promise<void> {
  const name = identifier(args.name);
  if (change.action === 'remove')
    return tellServer(host, args, [`DROP DATABASE IF EXISTS ${name}`]);
  const { character_set, collate } = change.to;
  const verb = change.action === 'create' ? 'CREATE DATABASE IF NOT EXISTS' : 'ALTER DATABASE';
  const parts = [`${verb} ${name}`];
  if (character_set !== undefined) parts.push(`CHARACTER SET ${character_set}`);
  if (collate !== undefined) parts.push(`COLLATE ${collate}`);
  return tellServer(host, args, [parts.join(' ')]);
}
