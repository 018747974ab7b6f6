import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { askServer, tellAtOnce, tellServer } from './lib/postgres.ts';
import { EVERYBODY, aclAnswer, aclQuestion, isInSchema, signatureOf } from './lib/postgres-acl.ts';
import type { Acls } from './lib/postgres-acl.ts';
import { postgresGranted, postgresRevoked } from './lib/granted.ts';
import { serverNeeds } from './lib/postgres-fields.ts';
import { needRoles } from './lib/postgres-roles.ts';
import { said } from '../lib/said.ts';
import { absentSchema, presentSchema } from './postgres-privileges-schema.ts';
import type { Args } from './postgres-privileges-schema.ts';

type Privileges = { privileges: readonly string[]; grant_option: boolean };

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
  settles: postgresGranted,
  needs,
  read: (args, host) => read(args, host, 'every'),
  async want(args, host) {
    const { name, privileges, grant_option } = args;
    const isNew = !isEverybody(name) && (await read(args, host, 'every')) === null;
    if (isNew) await needRoles([name], 'Cannot give privileges', host, args);
    return grant_option === undefined ? { privileges } : { privileges, grant_option };
  },
  apply,
});

export const postgresPrivilegesAbsent = defineState<Args, Privileges>({
  name: 'postgres_privileges.absent',
  schema: absentSchema,
  example: `nobody makes tables in public:
  postgres_privileges.absent:
    name: public
    object_name: public
    object_type: schema
    privileges: [CREATE]
    maintenance_db: openknesset
`,
  settles: postgresRevoked,
  needs,
  read: (args, host) => read(args, host, 'some'),
  want: () => null,
  apply,
});

function needs(args: Args): string[] {
  const { name, object_name, object_type, maintenance_db, prepend } = args;
  const database = object_type === 'database' ? object_name : maintenance_db;
  const schema = object_type === 'schema' ? object_name : prepend;
  return [
    ...serverNeeds(args),
    ...(isEverybody(name) ? [] : [`postgres-role:${name}`]),
    ...(object_type === 'group' ? [`postgres-role:${object_name}`] : []),
    `postgres-database:${database}`,
    `postgres-schema:${maintenance_db}/${schema}`,
  ];
}

async function read(
  args: Args,
  host: HostView,
  held: 'every' | 'some',
): Promise<Privileges | null> {
  const { object_type: kind, prepend: schema } = args;
  const acls = await askServer(host, args, {
    subject: isInSchema(kind) ? `${kind} of ${schema}` : kind,
    sql: aclQuestion(kind),
    values: { schema },
    answer: aclAnswer,
  });
  const role = isEverybody(args.name) ? EVERYBODY : args.name;
  const marks = objectsOf(args, acls, held).map((acl) => new Set(acl[role]));
  const has = (test: (own: ReadonlySet<string>) => boolean): boolean =>
    held === 'every' ? marks.every(test) : marks.some(test);
  const privileges = args.privileges.filter((name) =>
    has((own) => own.has(name) || own.has(`${name}*`)),
  );
  if (privileges.length === 0) return null;
  const grant_option = privileges.every((name) => has((own) => own.has(`${name}*`)));
  return { privileges, grant_option };
}

/** What of this other states bring about; tables and the like come from anywhere. */
const LACKS: Partial<Record<Args['object_type'], (name: string, database: string) => string[]>> = {
  database: (name) => [`postgres-database:${name}`],
  schema: (name, database) => [`postgres-schema:${database}/${name}`],
  group: (name) => [`postgres-role:${name}`],
};

/** Privileges on nothing there are none of; for such to be given, the object has to be there. */
function objectsOf(args: Args, acls: Acls, held: 'every' | 'some'): readonly Acls[string][] {
  const { object_type: kind, object_name: name, prepend, maintenance_db } = args;
  if (name === 'ALL' && isInSchema(kind)) return Object.values(acls);
  const found = Object.hasOwn(acls, name) ? acls[name] : undefined;
  if (found !== undefined) return [found];
  if (held === 'some') return [];
  const where = isInSchema(kind) ? ` in schema "${prepend}" of database "${maintenance_db}"` : '';
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot give privileges on ${kind} "${name}": there is none${where}`,
    said({ lacks: LACKS[kind]?.(name, maintenance_db) }),
  );
}

async function apply(change: Change<Privileges>, args: Args, host: Host): Promise<void> {
  const { privileges, object_type: kind, object_name: object, prepend: schema } = args;
  const values = { role: args.name, object, schema, name: signatureOf(object)?.name ?? '' };
  const role = isEverybody(args.name) ? 'PUBLIC' : ':"role"';
  const what = kind === 'group' ? ':"object"' : `${privileges.join(', ')} ON ${objectText(args)}`;
  const [option, optionFor] =
    kind === 'group' ? ['ADMIN OPTION', 'ADMIN'] : ['GRANT OPTION', 'GRANT'];
  if (change.action === 'remove') {
    return tellServer(host, args, [`REVOKE ${what} FROM ${role}`], values);
  }
  const sql = [`GRANT ${what} TO ${role}${args.grant_option === true ? ` WITH ${option}` : ''}`];
  if (change.to.grant_option === false) {
    sql.push(`REVOKE ${optionFor} OPTION FOR ${what} FROM ${role}`);
  }
  return tellAtOnce(host, args, sql, values);
}

function objectText({ object_type: kind, object_name: object }: Args): string {
  const word = kind.toUpperCase();
  if (!isInSchema(kind)) return `${word} :"object"`;
  if (object === 'ALL') return `ALL ${word}S IN SCHEMA :"schema"`;
  const signature = kind === 'function' ? signatureOf(object) : null;
  return signature === null
    ? `${word} :"schema".:"object"`
    : `${word} :"schema".:"name"(${signature.types})`;
}

function isEverybody(role: string): boolean {
  return role.toLowerCase() === EVERYBODY;
}
