import { z } from 'zod';
import { EXPOSED, absolutePath, tcpPort } from '../../lib/fields.ts';

/** Arguments that say which server, as every `mysql_*` type takes them. */
export const serverFields = {
  connection_host: z
    .string()
    .regex(/^[^\0\s]{1,255}$/u, { error: 'expected the name or address of a host' })
    .exactOptional()
    .describe('Host of a server elsewhere; this host, over its socket, if absent')
    .meta(EXPOSED),
  connection_port: tcpPort.exactOptional().describe('The port of the server; 3306 if absent'),
  connection_user: z
    .string()
    .regex(/^[^\0\r\n]{1,80}$/u, { error: 'expected the name of a MySQL account' })
    .exactOptional()
    .describe('The account to log in as; root, whom a server on this host knows by his socket')
    .meta(EXPOSED),
  connection_pass: z
    .string()
    .regex(/^[^\0\r\n]*$/u, { error: 'expected a password on one line' })
    .exactOptional()
    .describe('The password of that account; it reaches the client on its standard input')
    .meta({ secret: true }),
  connection_unix_socket: absolutePath
    .exactOptional()
    .describe("The server's socket; its default if absent"),
  connection_default_file: absolutePath
    .exactOptional()
    .describe('A file of options on the host that the client reads in place of all others'),
  connection_charset: z
    .string()
    .regex(/^\w{1,40}$/u)
    .default('utf8mb4')
    .describe('The character set of the connection'),
};

export interface Server {
  readonly connection_host?: string;
  readonly connection_port?: number;
  readonly connection_user?: string;
  readonly connection_pass?: string;
  readonly connection_unix_socket?: string;
  readonly connection_default_file?: string;
  readonly connection_charset: string;
}

/** The name of a MySQL account, without its host. */
export const accountField = z
  .string()
  .regex(/^[^\0\r\n]{1,80}$/u, { error: 'expected the name of a MySQL account' });
export const hostField = z
  .string()
  .regex(/^[^\0\s'`]{1,255}$/u, { error: 'expected a host, such as localhost, 10.0.0.% or %' });
export const databaseField = z
  .string()
  .regex(/^[^\0\r\n/]{1,64}$/u, { error: 'expected the name of a database' });

/** Resources that everything in a server needs. */
export function serverNeeds({ connection_host: host = 'localhost' }: Server): string[] {
  if (host !== 'localhost') return ['package:mariadb-client', 'package:default-mysql-client'];
  return [
    'mysql-server',
    'package:mariadb-server',
    'package:default-mysql-server',
    'service:mariadb',
    'service:mysql',
  ];
}

/** The arguments without those that say which server. */
export function withoutServer<Args extends Partial<Server>>({
  connection_host,
  connection_port,
  connection_user,
  connection_pass,
  connection_unix_socket,
  connection_default_file,
  connection_charset,
  ...others
}: Args): Omit<Args, keyof Server> {
  return others;
}
