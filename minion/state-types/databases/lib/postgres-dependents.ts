import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { askServer } from './postgres.ts';
import type { Server } from './postgres-fields.ts';

/** What a server does not drop things without, asked of it beforehand. */

const CATALOGS = {
  schema: ['pg_namespace', 'nspname'],
  extension: ['pg_extension', 'extname'],
} as const;

const answer = z.array(z.string());

/** Of many things this many are named. */
const NAMED = 3;

/** Refuses to drop a schema or extension while something that would not go with it depends on it. */
export async function guardDependents(
  kind: keyof typeof CATALOGS,
  name: string,
  host: HostView,
  server: Server,
): Promise<void> {
  const [catalog, column] = CATALOGS[kind];
  const things = await askServer(host, server, {
    subject: `dependents of ${kind} ${name}`,
    sql: dependentsOf(catalog, column),
    values: { name },
    answer,
  });
  const hint = kind === 'extension' ? ' (cascade: true drops that too)' : '';
  refuse(things, `Cannot drop the ${kind} "${name}"`, `needed by ${listed(things)}${hint}`);
}

/** Refuses to drop a role that owns something, or has privileges that would have to be taken from it first. */
export async function guardHoldings(name: string, host: HostView, server: Server): Promise<void> {
  const things = await askServer(host, server, {
    subject: `holdings of ${name}`,
    sql: HOLDINGS,
    values: { name },
    answer,
  });
  refuse(things, `Cannot drop the role "${name}"`, `still ${listed(things)}`);
}

function refuse(things: readonly string[], cannot: string, why: string): void {
  if (things.length > 0)
    throw new ConductorError('STATE_REFUSED', `${cannot}: it is ${why}`, { lacks: [] });
}

function listed(things: readonly string[]): string {
  const more = things.length - NAMED;
  return [...things.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** As the server goes about it: what goes with the thing by itself, and what is left that depends on any of that. */
function dependentsOf(catalog: string, column: string): string {
  return `WITH RECURSIVE going(classid, objid) AS (
  SELECT '${catalog}'::regclass::oid, oid FROM ${catalog} WHERE ${column} = :'name'
  UNION SELECT d.classid, d.objid FROM pg_depend d
    JOIN going g ON d.refclassid = g.classid AND d.refobjid = g.objid
    WHERE d.deptype IN ('a', 'i', 'e', 'x', 'P', 'S'))
  SELECT coalesce(json_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)), '[]')
  FROM pg_depend d JOIN going g ON d.refclassid = g.classid AND d.refobjid = g.objid
  WHERE d.deptype = 'n'
    AND NOT EXISTS (SELECT FROM going o WHERE o.classid = d.classid AND o.objid = d.objid);`;
}

/** Things in other databases cannot be named from here. */
const HOLDINGS = `SELECT coalesce(json_agg(DISTINCT what), '[]') FROM (
  SELECT CASE deptype WHEN 'o' THEN 'owner of ' WHEN 'a' THEN 'granted privileges on ' ELSE 'part of ' END
    || CASE WHEN d.dbid IN (0, here.oid) THEN pg_describe_object(classid, objid, objsubid)
       ELSE 'something in database ' || coalesce(there.datname, '?') END AS what
  FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid AND r.rolname = :'name'
  JOIN pg_database here ON here.datname = current_database()
  LEFT JOIN pg_database there ON there.oid = d.dbid
  WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype <> 'p') held;`;
