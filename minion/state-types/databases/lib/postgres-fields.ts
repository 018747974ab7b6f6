import { z } from 'zod';
import { EXPOSED, accountName, tcpPort } from '../../lib/fields.ts';

const LONGEST_NAME = 63;

/** The name of a role, database or other object. A longer one the server would cut short, and make another thing. */
export const objectName = z
  .string()
  .regex(/^[^\0\r\n]+$/u, { error: 'expected a name on one line' })
  .refine((name) => Buffer.byteLength(name) <= LONGEST_NAME, {
    error: 'expected a name of at most 63 bytes',
  });

/** Arguments that say which server, as every `postgres_*` type takes them. */
export const connectionFields = {
  user: accountName
    .exactOptional()
    .describe(
      'The system account that runs the client: by default postgres, whom a server on this host knows by his socket, and root with `db_host`',
    ),
  db_host: z
    .string()
    .regex(/^[^\0\s]{1,255}$/u, { error: 'expected the name or address of a host' })
    .exactOptional()
    .describe('Host of a server elsewhere, or the directory of its socket; this host if absent')
    .meta(EXPOSED),
  db_port: tcpPort.exactOptional().describe('The port of the server; its default if absent'),
  db_user: objectName
    .exactOptional()
    .describe(
      'The role to log in as; by default the one named like `user`, and postgres with `db_host`',
    )
    .meta(EXPOSED),
  db_password: z
    .string()
    .regex(/^[^\0\r\n]+$/u, { error: 'expected a password on one line' })
    .exactOptional()
    .describe('The password of that role; it reaches the client on its standard input')
    .meta({ secret: true }),
};

/** The same, for what does not lie in one database. */
export const serverFields = {
  ...connectionFields,
  maintenance_db: objectName
    .default('postgres')
    .describe('The database to connect to while managing others')
    .meta(EXPOSED),
};

export interface Connection {
  readonly user?: string;
  readonly db_host?: string;
  readonly db_port?: number;
  readonly db_user?: string;
  readonly db_password?: string;
}

export interface Server extends Connection {
  readonly maintenance_db: string;
}

/** Resources that everything in a server needs. */
export function serverNeeds(server: Connection): string[] {
  const user = accountOf(server);
  const owner = user === undefined ? [] : [`user:${user}`];
  if (server.db_host !== undefined) return ['package:postgresql-client', ...owner];
  return ['postgres-server', 'package:postgresql', 'service:postgresql', ...owner];
}

/** The arguments without those that say which server. */
export function withoutServer<Args extends Partial<Server>>({
  user,
  db_host,
  db_port,
  db_user,
  db_password,
  maintenance_db,
  ...others
}: Args): Omit<Args, keyof Server> {
  return others;
}

/** The role to log in as, where it is said: else it is named like the account that runs the client. */
export function roleOf({ db_host, db_user }: Connection): string | undefined {
  return db_user ?? (db_host === undefined ? undefined : 'postgres');
}

/** The system account that runs the client; `undefined` is root. */
export function accountOf({ user, db_host }: Connection): string | undefined {
  return user ?? (db_host === undefined ? 'postgres' : undefined);
}

/** What two states that are about one thing of one server mean. */
export function thingOn(
  kind: 'database' | 'role',
  { name, db_host: server = 'this host' }: { readonly name: string; readonly db_host?: string },
): string {
  return `PostgreSQL ${kind}:${name} on ${server}`;
}
