import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { askServer, objectName, serverFields, serverNeeds, tellServer } from './lib/postgres.ts';

/** Every privilege that there is on a kind of object, and where its access list is kept. */
const KINDS = {
  database: {
    all: ['CONNECT', 'CREATE', 'TEMPORARY'],
    acl: `SELECT coalesce(datacl, acldefault('d', datdba)) FROM pg_database WHERE datname = :'object'`,
  },
  schema: {
    all: ['CREATE', 'USAGE'],
    acl: `SELECT coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = :'object'`,
  },
  table: {
    all: ['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'],
    acl: `SELECT coalesce(relacl, acldefault('r', relowner)) FROM pg_class
      WHERE relname = :'object' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = :'schema')`,
  },
  sequence: {
    all: ['SELECT', 'UPDATE', 'USAGE'],
    acl: `SELECT coalesce(relacl, acldefault('s', relowner)) FROM pg_class
      WHERE relname = :'object' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = :'schema')`,
  },
} as const;

type Kind = keyof typeof KINDS;
type Privileges = { privileges: readonly string[]; grant_option: boolean };

const answer = z.array(z.strictObject({ privilege: z.string(), grantable: z.boolean() }));
const kind = z.enum(['database', 'schema', 'table', 'sequence']);

const presentSchema = z
  .strictObject({
    name: objectName.describe('The role that is to have the privileges'),
    object_name: objectName.describe('The object that they are on'),
    object_type: kind.describe('What kind of object it is'),
    privileges: z
      .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
      .transform((names) => names.map((name) => name.trim().toUpperCase()))
      .default(['ALL'])
      .describe('Names of privileges as PostgreSQL gives them, or ALL'),
    grant_option: z.boolean().exactOptional().describe('May pass them on'),
    prepend: objectName.default('public').describe('The schema of a table or sequence'),
    ...serverFields,
  })
  .transform((args, context) => ({ ...args, privileges: expanded(args, context) }))
  .describe(
    'At least these privileges of a role on a database, schema, table or sequence. For what lies in a database, ' +
      'give that database as `maintenance_db`.',
  );
type Args = z.infer<typeof presentSchema>;

export const postgresPrivilegesPresent = defineState<Args, Privileges>({
  name: 'postgres_privileges.present',
  schema: presentSchema,
  example: `reports may read:
  postgres_privileges.present:
    name: reports
    object_name: openknesset
    object_type: database
    privileges: [CONNECT]
`,
  needs: (args) => [
    ...serverNeeds(args),
    `postgres-role:${args.name}`,
    `postgres-database:${args.object_type === 'database' ? args.object_name : args.maintenance_db}`,
  ],
  read,
  want: ({ privileges, grant_option }) =>
    grant_option === undefined ? { privileges } : { privileges, grant_option },
  apply,
});

async function read(args: Args, host: HostView): Promise<Privileges> {
  const sql = `SELECT coalesce(json_agg(json_build_object('privilege', privilege_type, 'grantable', is_grantable)), '[]')
    FROM aclexplode((${KINDS[args.object_type].acl}))
    WHERE grantee = (SELECT oid FROM pg_roles WHERE rolname = :'role');`;
  const held = await askServer(host, args, answer, { sql, values: valuesOf(args) });
  const asked = held.filter(({ privilege }) => args.privileges.includes(privilege));
  return {
    privileges: asked.map(({ privilege }) => privilege).toSorted(),
    grant_option: asked.length > 0 && asked.every(({ grantable }) => grantable),
  };
}

async function apply(change: Change<Privileges>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const object = { database: 'DATABASE', schema: 'SCHEMA', table: 'TABLE', sequence: 'SEQUENCE' };
  const qualified = args.object_type === 'table' || args.object_type === 'sequence';
  const on = `${object[args.object_type]} ${qualified ? ':"schema".' : ''}:"object"`;
  const list = args.privileges.join(', ');
  const option = args.grant_option === true ? ' WITH GRANT OPTION' : '';
  const sql = [`GRANT ${list} ON ${on} TO :"role"${option}`];
  if (change.to.grant_option === false) {
    sql.push(`REVOKE GRANT OPTION FOR ${list} ON ${on} FROM :"role"`);
  }
  return tellServer(host, args, sql, valuesOf(args));
}

function valuesOf({ name, object_name, prepend }: Args): Record<string, string> {
  return { role: name, object: object_name, schema: prepend };
}

/** The privileges in order, `ALL` as all that there are; one that the object cannot have is an issue. */
function expanded(
  { privileges, object_type }: { privileges: readonly string[]; object_type: Kind },
  context: z.RefinementCtx,
): readonly string[] {
  const all: readonly string[] = KINDS[object_type].all;
  const names = privileges.flatMap((name) => {
    if (name === 'ALL' || name === 'ALL PRIVILEGES') return all;
    return name === 'TEMP' ? ['TEMPORARY'] : [name];
  });
  for (const name of names) {
    if (all.includes(name)) continue;
    const message = `a ${object_type} has no privilege "${name}", only ${all.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['privileges'], message });
  }
  return [...new Set(names)].toSorted();
}
