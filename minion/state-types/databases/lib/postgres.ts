import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { accountName, tcpPort } from '../../lib/fields.ts';

const CANNOT_CONNECT = 2;
const WAIT_FOR_SOCKET_MS = 5000;
const WAIT_FOR_START_MS = 60_000;
const POLL_MS = 250;
const QUERY_TIMEOUT_MS = 60_000;

/** Arguments that say which server, as every `postgres_*` type takes them. */
export const serverFields = {
  user: accountName
    .default('postgres')
    .describe('The system account that talks to the server over its local socket'),
  db_port: tcpPort.exactOptional().describe('The port of the server; its default if absent'),
  maintenance_db: z
    .string()
    .min(1)
    .default('postgres')
    .describe('The database to connect to while managing others'),
};

/** The name of a role, database or other object. */
export const objectName = z
  .string()
  .regex(/^[^\0\r\n]{1,63}$/u, { error: 'expected a name of at most 63 characters' });

export interface Server {
  readonly user: string;
  readonly db_port?: number;
  readonly maintenance_db: string;
}

/** Values for `:'name'` (a text) and `:"name"` (an identifier) in a statement. */
type Values = Readonly<Record<string, string>>;

/**
 * Asks a server one question whose answer is one JSON value. A server that is starting is waited
 * for; one that is down is a failure that says so.
 */
export async function askServer<T>(
  host: HostView,
  server: Server,
  answer: z.ZodType<T>,
  { sql, values = {} }: { sql: string; values?: Values },
): Promise<T> {
  const argv = psql(server);
  const output = await whenUp(host, server, () =>
    host.query(argv, {
      user: server.user,
      cwd: '/',
      input: script(sql, values),
      timeoutMs: QUERY_TIMEOUT_MS,
    }),
  );
  if (output.exitCode !== 0) throw failed('ask PostgreSQL', argv, output);
  return answer.parse(JSON.parse(output.stdout));
}

/** Carries out statements, each of its own (a database cannot be made within a transaction). */
export async function tellServer(
  host: Host,
  server: Server,
  sql: readonly string[],
  values: Values = {},
): Promise<void> {
  await whenUp(host, server, () => host.query(psql(server), ping(server)));
  const input = script(sql.map((statement) => `${statement};`).join('\n'), values);
  await host.run(psql(server), { user: server.user, cwd: '/', input });
  host.changed(topicOf(server, 'roles'));
  host.changed(topicOf(server, 'databases'));
}

/** The shared topic under which an answer of a server is kept until something is told to it. */
export function topicOf({ db_port, user }: Server, subject: 'roles' | 'databases'): string {
  return `postgres:${subject}:${user}:${db_port ?? ''}`;
}

/** Resources that everything in a server needs. */
export function serverNeeds({ user }: Server): string[] {
  return ['postgres-server', 'package:postgresql', 'service:postgresql', `user:${user}`];
}

function psql({ db_port, maintenance_db }: Server): Argv {
  const port = db_port === undefined ? [] : [`--port=${db_port}`];
  const plain = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--no-password'];
  return ['psql', ...plain, '--set=ON_ERROR_STOP=1', ...port, `--dbname=${maintenance_db}`];
}

function ping({ user }: Server): { user: string; cwd: string; input: string } {
  return { user, cwd: '/', input: 'SELECT 1;' };
}

/** Values go in by psql's own variables, which it quotes; they never stand in a statement as text. */
function script(sql: string, values: Values): string {
  const settings = Object.entries(values).map(([name, value]) => `\\set ${name} ${quoted(value)}`);
  return ['\\set VERBOSITY terse', ...settings, sql, ''].join('\n');
}

function quoted(value: string): string {
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `'${escaped}'`;
}

async function whenUp(
  host: HostView,
  { db_port }: Server,
  attempt: () => Promise<Output>,
): Promise<Output> {
  for (let waited = 0; ; waited += POLL_MS) {
    const output = await attempt();
    if (output.exitCode !== CANNOT_CONNECT) return output;
    const starts = /starting up|recovery mode|shutting down|not yet accepting/u.test(output.stderr);
    const isDown = /No such file or directory|Connection refused/u.test(output.stderr);
    if (!starts && !isDown) return output;
    if (waited >= (starts ? WAIT_FOR_START_MS : WAIT_FOR_SOCKET_MS)) throw isNotUp(db_port, output);
    await host.sleep(POLL_MS);
  }
}

function isNotUp(port: number | undefined, { stderr }: Output): ConductorError {
  const which = port === undefined ? '' : ` on port ${port}`;
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot reach PostgreSQL${which}: the server is not up: ${stderr.trim()}`,
  );
}
