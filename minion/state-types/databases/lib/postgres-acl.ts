import { z } from 'zod';

/** Every privilege that there is on a kind of object; `ALL` is all of these. */
export const PRIVILEGES = {
  database: ['CONNECT', 'CREATE', 'TEMPORARY'],
  schema: ['CREATE', 'USAGE'],
  tablespace: ['CREATE'],
  language: ['USAGE'],
  table: ['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'],
  sequence: ['SELECT', 'UPDATE', 'USAGE'],
  function: ['EXECUTE'],
  group: ['MEMBER'],
} as const;

export type Kind = keyof typeof PRIVILEGES;

/** Kinds whose objects lie in a schema. */
const IN_SCHEMA: ReadonlySet<Kind> = new Set(['table', 'sequence', 'function']);

export function isInSchema(kind: Kind): boolean {
  return IN_SCHEMA.has(kind);
}

/** By object and role: its privileges there, with a star where it may pass them on. */
export const aclAnswer = z.record(z.string(), z.record(z.string(), z.array(z.string())));
export type Acls = z.infer<typeof aclAnswer>;

/** How everybody is called, as no role can be. */
export const EVERYBODY = 'public';

const SCHEMA = `(SELECT oid FROM pg_namespace WHERE nspname = :'schema')`;
const SOURCES: Readonly<Record<Kind, string>> = {
  database: `SELECT datname, coalesce(datacl, acldefault('d', datdba)) FROM pg_database`,
  schema: `SELECT nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace`,
  tablespace: `SELECT spcname, coalesce(spcacl, acldefault('t', spcowner)) FROM pg_tablespace`,
  language: `SELECT lanname, coalesce(lanacl, acldefault('l', lanowner)) FROM pg_language`,
  table: `SELECT relname, coalesce(relacl, acldefault('r', relowner)) FROM pg_class
    WHERE relnamespace = ${SCHEMA} AND relkind IN ('r', 'p', 'v', 'm', 'f')`,
  sequence: `SELECT relname, coalesce(relacl, acldefault('s', relowner)) FROM pg_class
    WHERE relnamespace = ${SCHEMA} AND relkind = 'S'`,
  function: `SELECT proname || '(' || oidvectortypes(proargtypes) || ')', coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc WHERE pronamespace = ${SCHEMA}`,
  group: '',
};

const MEMBERS = `SELECT coalesce(json_object_agg(g.rolname, (SELECT coalesce(json_object_agg(rolname, mark), '{}') FROM (
    SELECT r.rolname, json_build_array('MEMBER' || CASE WHEN bool_or(m.admin_option) THEN '*' ELSE '' END) AS mark
    FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE m.roleid = g.oid GROUP BY 1) held)), '{}')
  FROM pg_roles g;`;

/** Who may do what with every object of a kind: one question for all declarations. */
export function aclQuestion(kind: Kind): string {
  if (kind === 'group') return MEMBERS;
  return `WITH objects(name, acl) AS (${SOURCES[kind]})
  SELECT coalesce(json_object_agg(name, (SELECT coalesce(json_object_agg(role, marks), '{}') FROM (
    SELECT coalesce(r.rolname, '${EVERYBODY}') AS role,
      json_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END) AS marks
    FROM aclexplode(acl) LEFT JOIN pg_roles r ON r.oid = grantee GROUP BY 1) held)), '{}')
  FROM objects;`;
}

const SAME_TYPES = new Map([
  ['int', 'integer'],
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['bool', 'boolean'],
  ['float', 'double precision'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['varchar', 'character varying'],
  ['decimal', 'numeric'],
  ['timestamp', 'timestamp without time zone'],
  ['timestamptz', 'timestamp with time zone'],
  ['time', 'time without time zone'],
]);

/** `name(types)` as the server writes it; `null` if it is no signature. */
export function signatureOf(text: string): { name: string; types: string } | null {
  const { name, types } = /^(?<name>[^()]+)\((?<types>[\w\s,.[\]]*)\)$/u.exec(text)?.groups ?? {};
  if (name === undefined || types === undefined) return null;
  const parts = types.split(',').map((type) => canonicalType(type.trim()));
  return { name: name.trim(), types: parts.join(', ') };
}

function canonicalType(type: string): string {
  const [, base = '', array = ''] = /^(.*?)((?:\[\])*)$/u.exec(type) ?? [];
  const lower = base.toLowerCase();
  return `${SAME_TYPES.get(lower) ?? lower}${array}`;
}
