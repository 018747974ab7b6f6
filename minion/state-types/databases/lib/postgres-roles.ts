import { z } from 'zod';

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
export const ROLES = String.raw`SELECT has_table_privilege('pg_authid', 'SELECT') AS readable \gset
\if :readable
${rolesFrom('pg_authid')}
\else
${rolesFrom('pg_roles')}
\endif`;

export const rolesAnswer = z.strictObject({
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
