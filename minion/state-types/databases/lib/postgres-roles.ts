import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { askServer } from './postgres.ts';
import type { Server } from './postgres-fields.ts';

/** Without what the server keeps of passwords, if this role may not see it. */
function rolesFrom(table: 'pg_authid' | 'pg_roles'): string {
  return `SELECT json_build_object('readable', ${table === 'pg_authid'}, 'roles',
  coalesce(json_object_agg(rolname, json_build_object(
  'login', rolcanlogin, 'superuser', rolsuper, 'createdb', rolcreatedb, 'createroles', rolcreaterole,
  'inherit', rolinherit, 'replication', rolreplication, 'connection_limit', rolconnlimit,
  'valid_until', CASE WHEN isfinite(rolvaliduntil)
    THEN to_char(rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
  'verifier', ${table === 'pg_authid' ? 'rolpassword' : 'NULL'},
  'groups', (SELECT coalesce(json_agg(g.rolname ORDER BY g.rolname), '[]') FROM pg_auth_members m
    JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = a.oid))), '{}')) FROM ${table} a;`;
}

/** Every role of a server. Only its superusers may read what it keeps of passwords. */
const ROLES = String.raw`SELECT has_table_privilege('pg_authid', 'SELECT') AS readable \gset
\if :readable
${rolesFrom('pg_authid')}
\else
${rolesFrom('pg_roles')}
\endif`;

const rolesAnswer = z.strictObject({
  readable: z.boolean(),
  roles: z.record(
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
  ),
});

export type Roles = z.infer<typeof rolesAnswer>;

/** All roles of a server, asked for once. */
export function readRoles(host: HostView, server: Server): Promise<Roles> {
  return askServer(host, server, { subject: 'roles', sql: ROLES, answer: rolesAnswer });
}

/** Throws STATE_REFUSED with these words if the server has no role of one of these names. */
export async function needRoles(
  names: readonly string[],
  cannot: string,
  host: HostView,
  server: Server,
): Promise<void> {
  if (names.length === 0) return;
  const { roles } = await readRoles(host, server);
  const missing = names.find((name) => !Object.hasOwn(roles, name));
  if (missing === undefined) return;
  const lacks = [`postgres-role:${missing}`];
  throw new ConductorError('STATE_REFUSED', `${cannot}: there is no role "${missing}"`, { lacks });
}
