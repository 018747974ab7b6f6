import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { askServer, tellServer } from './lib/postgres.ts';
import { connectionFields, objectName, serverNeeds } from './lib/postgres-fields.ts';
import { guardDependents } from './lib/postgres-dependents.ts';
import { needRoles } from './lib/postgres-roles.ts';
import type { Connection, Server } from './lib/postgres-fields.ts';

type Schema = { owner: string };
type Named = Connection & { name: string; dbname: string };

const SCHEMAS = `SELECT json_object_agg(nspname, pg_get_userbyid(nspowner)) FROM pg_namespace;`;

const fields = {
  name: objectName
    .refine((name) => !name.startsWith('pg_'), {
      error: 'names that begin with pg_ are for the server itself',
    })
    .describe('Name of the schema'),
  dbname: objectName.describe('The database that it is in'),
  ...connectionFields,
};

const presentSchema = z
  .strictObject({
    ...fields,
    owner: objectName.exactOptional().describe('The role that owns it'),
  })
  .describe('A schema in a PostgreSQL database, and who owns it.');

export const postgresSchemaPresent = defineState<z.infer<typeof presentSchema>, Schema>({
  name: 'postgres_schema.present',
  schema: presentSchema,
  example: `shop schema:
  postgres_schema.present:
    name: shop
    dbname: openknesset
    owner: openknesset
`,
  provides: ({ dbname, name }) => [`postgres-schema:${dbname}/${name}`],
  needs: (args) => [
    ...needs(args),
    ...(args.owner === undefined ? [] : [`postgres-role:${args.owner}`]),
  ],
  read,
  async want(args, host) {
    const { name, owner } = args;
    if (owner === undefined) return {};
    if ((await read(args, host))?.owner === owner) return { owner };
    await needRoles([owner], `Cannot give the schema "${name}" its owner`, host, serverOf(args));
    return { owner };
  },
  apply,
});

export const postgresSchemaAbsent = defineState<Named, Schema>({
  name: 'postgres_schema.absent',
  schema: z
    .strictObject(fields)
    .describe(
      'No schema of that name in a PostgreSQL database. One with something in it is not dropped.',
    ),
  example: `old schema:
  postgres_schema.absent:
    name: legacy
    dbname: openknesset
`,
  takes: ({ dbname, name }) => [`postgres-schema:${dbname}/${name}`],
  needs,
  read,
  want: () => null,
  refuses: (_change, args, host) => guardDependents('schema', args.name, host, serverOf(args)),
  apply,
});

function needs(args: Named): string[] {
  return [...serverNeeds(args), `postgres-database:${args.dbname}`];
}

function serverOf({ dbname, ...connection }: Named): Server {
  return { ...connection, maintenance_db: dbname };
}

async function read(args: Named, host: HostView): Promise<Schema | null> {
  const answer = z.record(z.string(), z.string());
  const owners = await askServer(host, serverOf(args), {
    subject: 'schemas',
    sql: SCHEMAS,
    answer,
  });
  const owner = Object.hasOwn(owners, args.name) ? owners[args.name] : undefined;
  return owner === undefined ? null : { owner };
}

async function apply(change: Change<Schema>, args: Named, host: Host): Promise<void> {
  const values = { name: args.name };
  const server = serverOf(args);
  if (change.action === 'remove') return tellServer(host, server, ['DROP SCHEMA :"name"'], values);
  const { owner } = change.to;
  if (change.action === 'update') {
    const sql = 'ALTER SCHEMA :"name" OWNER TO :"owner"';
    return tellServer(host, server, [sql], { ...values, ...change.to });
  }
  const authorization = owner === undefined ? '' : ' AUTHORIZATION :"owner"';
  return tellServer(host, server, [`CREATE SCHEMA :"name"${authorization}`], {
    ...values,
    ...change.to,
  });
}
