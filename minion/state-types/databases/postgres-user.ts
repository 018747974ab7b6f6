import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import {
  askServer,
  objectName,
  serverFields,
  serverNeeds,
  tellServer,
  topicOf,
} from './lib/postgres.ts';
import type { Server } from './lib/postgres.ts';
import { isVerifier, passwordWorks, scramVerifier } from './lib/scram.ts';

type Role = {
  login: boolean;
  superuser: boolean;
  createdb: boolean;
  createroles: boolean;
  inherit: boolean;
  replication: boolean;
  connection_limit: number;
  valid_until: string;
  groups: readonly string[];
  password_works: boolean;
};
type Named = Server & { name: string; password?: string };

const FLAGS = [
  ['login', 'LOGIN'],
  ['superuser', 'SUPERUSER'],
  ['createdb', 'CREATEDB'],
  ['createroles', 'CREATEROLE'],
  ['inherit', 'INHERIT'],
  ['replication', 'REPLICATION'],
] as const satisfies [keyof Role, string][];

const ROLES = `SELECT coalesce(json_object_agg(rolname, json_build_object(
  'login', rolcanlogin, 'superuser', rolsuper, 'createdb', rolcreatedb, 'createroles', rolcreaterole,
  'inherit', rolinherit, 'replication', rolreplication, 'connection_limit', rolconnlimit,
  'valid_until', CASE WHEN isfinite(rolvaliduntil)
    THEN to_char(rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
  'verifier', rolpassword,
  'groups', (SELECT coalesce(json_agg(g.rolname ORDER BY g.rolname), '[]') FROM pg_auth_members m
    JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = a.oid))), '{}') FROM pg_authid a;`;

const rolesAnswer = z.record(
  z.string(),
  z.strictObject({
    login: z.boolean(),
    superuser: z.boolean(),
    createdb: z.boolean(),
    createroles: z.boolean(),
    inherit: z.boolean(),
    replication: z.boolean(),
    connection_limit: z.int(),
    valid_until: z.string().nullable(),
    verifier: z.string().nullable(),
    groups: z.array(z.string()),
  }),
);

const moment = z.union([
  z.literal('infinity'),
  z.iso
    .datetime({ offset: true })
    .or(z.iso.date())
    .transform((text) => `${new Date(text).toISOString().slice(0, 19)}Z`),
]);

const presentSchema = z
  .strictObject({
    name: objectName.describe('Name of the role'),
    login: z.boolean().default(true).describe('May log in'),
    superuser: z.boolean().exactOptional().describe('Passes every permission check'),
    createdb: z.boolean().exactOptional().describe('May create databases'),
    createroles: z.boolean().exactOptional().describe('May create roles'),
    inherit: z.boolean().exactOptional().describe('Has the privileges of its groups at once'),
    replication: z.boolean().exactOptional().describe('May stream replication'),
    connection_limit: z
      .int()
      .min(-1)
      .exactOptional()
      .describe('Connections at a time; -1 is no limit'),
    valid_until: moment
      .exactOptional()
      .describe('When the password expires: a date, a time with its zone, or `infinity`'),
    groups: z
      .array(objectName)
      .transform((names) => [...new Set(names)].toSorted())
      .exactOptional()
      .describe('Exactly the roles that this one is a member of'),
    password: z
      .string()
      .min(1)
      .exactOptional()
      .describe('The password, or a ready `SCRAM-SHA-256$…` verifier')
      .meta({ secret: true }),
    ...serverFields,
  })
  .describe(
    'A PostgreSQL role that can log in. The password is compared with what the server keeps, without a ' +
      'login, and is given to the server as a SCRAM-SHA-256 verifier only, so that it appears in no log of ' +
      'the server. Attributes that are not given are left as they are.',
  );

export const postgresUserPresent = defineState<z.infer<typeof presentSchema>, Role>({
  name: 'postgres_user.present',
  schema: presentSchema,
  example: `openknesset database role:
  postgres_user.present:
    name: openknesset
    password: "{{ pillar.databases.openknesset.password }}"
    createdb: true
`,
  provides: ({ name }) => [`postgres-role:${name}`],
  needs: (args) => [
    ...serverNeeds(args),
    ...(args.groups ?? []).map((role) => `postgres-role:${role}`),
  ],
  read,
  want({ name, password, user, db_port, maintenance_db, ...attributes }) {
    return password === undefined ? attributes : { ...attributes, password_works: true };
  },
  apply,
});

export const postgresUserAbsent = defineState({
  name: 'postgres_user.absent',
  schema: z
    .strictObject({ name: objectName.describe('Name of the role'), ...serverFields })
    .describe(
      'No PostgreSQL role of that name. A role that still owns something is not dropped: the server says what it owns.',
    ),
  example: `old role:
  postgres_user.absent:
    name: legacy
`,
  needs: serverNeeds,
  read,
  want: () => null,
  apply,
});

async function read({ name, password, ...server }: Named, host: HostView): Promise<Role | null> {
  const roles = await host.shared(topicOf(server, 'roles'), () =>
    askServer(host, server, rolesAnswer, { sql: ROLES }),
  );
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined;
  if (role === undefined) return null;
  const { verifier, valid_until, ...attributes } = role;
  const works = password !== undefined && passwordWorks(password, name, verifier);
  return { ...attributes, valid_until: valid_until ?? 'infinity', password_works: works };
}

async function apply(change: Change<Role>, args: Named, host: Host): Promise<void> {
  const { name } = args;
  if (change.action === 'remove')
    return tellServer(host, args, ['DROP ROLE :"role"'], { role: name });
  const { action, to } = change;
  const values: Record<string, string> = { role: name };
  const options = optionsOf(to, args, values);
  const sql = action === 'create' ? [`CREATE ROLE :"role" ${options}`] : [];
  if (action === 'update' && options !== '') sql.push(`ALTER ROLE :"role" ${options}`);
  const held = action === 'create' ? [] : change.from.groups;
  sql.push(...memberships(held, to.groups ?? held, values));
  return tellServer(host, args, sql, values);
}

function optionsOf(to: Partial<Role>, { password }: Named, values: Record<string, string>): string {
  const options = FLAGS.flatMap(([key, word]) =>
    to[key] === undefined ? [] : [to[key] ? word : `NO${word}`],
  );
  if (to.connection_limit !== undefined) options.push(`CONNECTION LIMIT ${to.connection_limit}`);
  if (to.valid_until !== undefined) {
    values['valid_until'] = to.valid_until;
    options.push("VALID UNTIL :'valid_until'");
  }
  if (to.password_works !== undefined && password !== undefined) {
    values['verifier'] = isVerifier(password) ? password : scramVerifier(password);
    options.push("PASSWORD :'verifier'");
  }
  return options.join(' ');
}

function memberships(
  held: readonly string[],
  wanted: readonly string[],
  values: Record<string, string>,
): string[] {
  const grants = wanted
    .filter((group) => !held.includes(group))
    .map((group) => ['GRANT', 'TO', group] as const);
  const revokes = held
    .filter((group) => !wanted.includes(group))
    .map((group) => ['REVOKE', 'FROM', group] as const);
  return [...grants, ...revokes].map(([verb, preposition, group], index) => {
    values[`group${index}`] = group;
    return `${verb} :"group${index}" ${preposition} :"role"`;
  });
}
