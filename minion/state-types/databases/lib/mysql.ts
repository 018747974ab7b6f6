import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { absolutePath } from '../../lib/fields.ts';

const WAIT_FOR_SOCKET_MS = 5000;
const POLL_MS = 250;
const QUERY_TIMEOUT_MS = 60_000;
/** What the client says when no server answers: 2002 on a socket, 2003 on TCP. */
const NO_SERVER = /ERROR 200[23] /u;

export const serverFields = {
  socket: absolutePath
    .exactOptional()
    .describe(
      "The server's socket, where root is let in without a password; its default if absent",
    ),
};

export interface Server {
  readonly socket?: string;
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

/** Asks a server for rows, each of one JSON value. */
export async function askServer<T>(
  host: HostView,
  server: Server,
  row: z.ZodType<T>,
  sql: string,
): Promise<readonly T[]> {
  const output = await whenUp(host, server, sql);
  if (output.exitCode !== 0) throw failed('ask MySQL', client('mariadb', server), output);
  return linesOf(output.stdout).map((line) => row.parse(JSON.parse(line)));
}

/** The lines that a statement answers; `null` if the server refuses it with the error of that number. */
export async function askLines(
  host: HostView,
  server: Server,
  sql: string,
  refusedWith: number,
): Promise<readonly string[] | null> {
  const output = await whenUp(host, server, sql);
  if (output.exitCode === 0) return linesOf(output.stdout);
  if (output.stderr.includes(`ERROR ${refusedWith} `)) return null;
  throw failed('ask MySQL', client('mariadb', server), output);
}

/** Carries out statements. */
export async function tellServer(
  host: Host,
  server: Server,
  sql: readonly string[],
): Promise<void> {
  await whenUp(host, server, 'SELECT 1;');
  const program = await programOn(host);
  await host.run(client(program, server), { input: script(`${sql.join(';\n')};`) });
  host.changed(topicOf(server));
}

/** The shared topic under which the accounts of a server are kept until something is told to it. */
export function topicOf({ socket }: Server): string {
  return `mysql:${socket ?? ''}`;
}

/** Resources that everything in a server needs. */
export const SERVER_NEEDS = [
  'mysql-server',
  'package:mariadb-server',
  'package:default-mysql-server',
  'service:mariadb',
  'service:mysql',
];

/** A text as a literal. */
export function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''");
  return `'${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}

/** A name as an identifier. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** An account as statements name it: `'deploy'@'localhost'`. */
export function account(name: string, host: string): string {
  return `${literal(name)}@${literal(host)}`;
}

/** What a server keeps of a password: `*` and the double SHA-1. */
export function nativeHash(password: string): string {
  const once = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

async function whenUp(host: HostView, server: Server, sql: string): Promise<Output> {
  const argv = client(await programOn(host), server);
  for (let waited = 0; ; waited += POLL_MS) {
    const output = await host.query(argv, { input: script(sql), timeoutMs: QUERY_TIMEOUT_MS });
    if (output.exitCode === 0 || !NO_SERVER.test(output.stderr)) return output;
    if (waited >= WAIT_FOR_SOCKET_MS) throw isNotUp(output);
    await host.sleep(POLL_MS);
  }
}

/** MariaDB's client has its own name since 10.5; MySQL's and older ones are `mysql`. */
async function programOn(host: HostView): Promise<'mariadb' | 'mysql'> {
  return (await host.status('/usr/bin/mariadb')) === null ? 'mysql' : 'mariadb';
}

function client(program: 'mariadb' | 'mysql', { socket }: Server): Argv {
  const to = socket === undefined ? [] : [`--socket=${socket}`];
  const plain = ['--batch', '--raw', '--skip-column-names', '--default-character-set=utf8mb4'];
  return [program, ...plain, ...to];
}

/**
 * With no special mode, a backslash escapes and a quote is always a quote; MariaDB would then make an account
 * without a password out of a grant to one that does not exist.
 */
function script(sql: string): string {
  const modes = "SET SESSION sql_mode='';\n/*M! SET SESSION sql_mode='NO_AUTO_CREATE_USER' */;";
  return `${modes}\n${sql}\n`;
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function isNotUp({ stderr }: Output): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot reach MySQL: the server is not up: ${stderr.trim()}`,
  );
}
