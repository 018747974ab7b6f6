import type { Settled } from '../../../../shared/surroundings.ts';
import { gone, settled, there } from '../../lib/settled.ts';
import { ALL, EACH } from './mysql-grants.ts';

/** What states of privileges decide: each privilege by itself. */

interface MysqlGrant {
  readonly grant: readonly string[];
  readonly database: string;
  readonly user: string;
  host: string;
  readonly connection_host?: string;
  readonly grant_option?: boolean;
  readonly revoke_first?: boolean;
}

export function mysqlGranted(args: MysqlGrant): Settled {
  const held = withAll(args.grant);
  const others = args.revoke_first === true ? EACH.filter((name) => !held.includes(name)) : [];
  const passes = args.grant_option;
  return {
    ...allThere(held.map((name) => mysqlPrivilege(name, args))),
    ...gone(others.map((name) => mysqlPrivilege(name, args))),
    ...(passes === undefined
      ? {}
      : settled(mysqlPrivilege('any', args), { 'grant option': String(passes) })),
  };
}

export function mysqlRevoked(args: MysqlGrant): Settled {
  return gone(withAll(args.grant).map((name) => mysqlPrivilege(name, args)));
}

function withAll(names: readonly string[]): readonly string[] {
  return names.includes(ALL) ? [...new Set([...names, ...EACH])] : names;
}

function mysqlPrivilege(
  name: string,
  { database, user, host, connection_host: server = 'this host' }: MysqlGrant,
): string {
  return `MariaDB privilege:${name} on ${database} of ${user}@${host} on ${server}`;
}

interface PostgresGrant {
  readonly name: string;
  readonly privileges: readonly string[];
  readonly object_type: string;
  readonly object_name: string;
  readonly prepend: string;
  readonly maintenance_db: string;
  readonly db_host?: string;
}

export function postgresGranted(args: PostgresGrant): Settled {
  return allThere(privilegesOn(args));
}

export function postgresRevoked(args: PostgresGrant): Settled {
  return gone(privilegesOn(args));
}

/** A database or a role is one for the whole server, anything else lies in a database and perhaps in a schema. */
function privilegesOn(args: PostgresGrant): readonly string[] {
  const { name, privileges, object_type: kind, object_name: object, db_host: server } = args;
  const isOfServer = ['database', 'tablespace', 'group'].includes(kind);
  const isInSchema = ['table', 'sequence', 'function'].includes(kind);
  const where = isOfServer ? '' : ` in ${args.maintenance_db}`;
  const what = isInSchema ? `${args.prepend}.${object}` : object;
  return privileges.map(
    (one) =>
      `PostgreSQL privilege:${one} on ${kind} ${what}${where} of ${name} on ${server ?? 'this host'}`,
  );
}

function allThere(resources: readonly string[]): Settled {
  return Object.assign({}, ...resources.map((resource) => there(resource)));
}
