import type { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, CommandOptions, Host, HostView, Output } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { askPatiently } from './patience.ts';
import { isStarting } from './starting.ts';
import { accountOf, roleOf } from './postgres-fields.ts';
import type { Server } from './postgres-fields.ts';

const CANNOT_CONNECT = 2;
const CONNECT_MS = 10_000;
/** What the client says when nothing answers at an address, or a server lets it in and then hangs. */
const SAYS_NOTHING = /timeout expired/u;
const PROBE = 'SELECT 1;';
const WAIT_FOR_SOCKET_MS = 5000;
const WAIT_FOR_START_MS = 60_000;
const POLL_MS = 250;
const QUERY_TIMEOUT_MS = 60_000;

/** Values for `:'name'` (a text) and `:"name"` (an identifier) in a statement. */
type Values = Readonly<Record<string, string>>;

/**
 * A server finishes a statement whose client was killed, and nobody sees it before it is done. Changes hold a lock
 * for as long as their session lives; who asks waits for it, and so sees what a killed run has left behind as a whole.
 */
const DURING_CHANGE = locking('pg_advisory_lock');
const AFTER_CHANGES = locking('pg_advisory_lock_shared');

function locking(acquire: string): string {
  return `SET lock_timeout = '50s';
DO $$ BEGIN PERFORM ${acquire}(hashtext('conductor'));
EXCEPTION WHEN lock_not_available THEN
  RAISE 'an earlier change by Conductor still runs on this server: see pg_stat_activity';
END $$;
RESET lock_timeout;`;
}

interface Question<T> {
  /** What is asked for: declarations that ask one server for the same share one answer. */
  readonly subject: string;
  readonly sql: string;
  readonly values?: Values;
  readonly answer: z.ZodType<T>;
}

/**
 * Asks a server one question whose answer is one JSON value, once for all who ask the same until
 * something is told to a server. One that is starting is waited for; one that is down is a failure
 * that says so.
 */
export async function askServer<T>(
  host: HostView,
  server: Server,
  { subject, sql, values = {}, answer }: Question<T>,
): Promise<T> {
  const topic = `postgres:${identityOf(server)}:${subject}`;
  (await topicsOf(host)).add(topic);
  return host.shared(topic, async () => {
    const input = script(`${AFTER_CHANGES}\n${sql}`, values);
    const output = await whenUp(host, server, input);
    if (output.exitCode !== 0) throw refusedBy(output, server);
    return answer.parse(JSON.parse(output.stdout));
  });
}

/** Carries out statements, each of its own (a database cannot be made within a transaction). */
export async function tellServer(
  host: Host,
  server: Server,
  sql: readonly string[],
  values: Values = {},
): Promise<void> {
  await whenUp(host, server, PROBE);
  const statements = sql.map((statement) => `${statement};`);
  const input = script([DURING_CHANGE, ...statements].join('\n'), values);
  try {
    await host.run(psql(server), optionsFor(server, input));
  } finally {
    await forgetAnswers(host);
  }
}

/** Carries out all of the statements or none. */
export async function tellAtOnce(
  host: Host,
  server: Server,
  sql: readonly string[],
  values: Values,
): Promise<void> {
  await tellServer(host, server, ['BEGIN', ...sql, 'COMMIT'], values);
}

/** Everything is to be asked anew: what it was about may have changed. */
export async function forgetAnswers(host: Host): Promise<void> {
  for (const topic of await topicsOf(host)) host.changed(topic);
}

/** Whether a server lets a role in with a password; `null` if it says nothing about the password. */
export async function letsIn(host: HostView, server: Server): Promise<boolean | null> {
  const output = await ask(host, server, { input: PROBE });
  if (output.exitCode === 0) return true;
  return /password authentication failed|not permitted to log in/u.test(output.stderr)
    ? false
    : null;
}

/** What was asked of servers in this run: all of it is asked anew once something was told to one. */
function topicsOf(host: HostView): Promise<Set<string>> {
  return host.shared('postgres topics', () => Promise.resolve(new Set<string>()));
}

function identityOf({ user, db_host, db_port, db_user, maintenance_db }: Server): string {
  return JSON.stringify([user, db_host, db_port, db_user, maintenance_db]);
}

function psql(server: Server): Argv {
  const { db_host, db_port, db_password, maintenance_db } = server;
  const role = roleOf(server);
  return [
    'psql',
    '--no-psqlrc',
    '--quiet',
    '--tuples-only',
    '--no-align',
    // Without a terminal it takes the password from the first line of its input.
    db_password === undefined ? '--no-password' : '--password',
    '--set=ON_ERROR_STOP=1',
    ...(db_host === undefined ? [] : [`--host=${db_host}`]),
    ...(db_port === undefined ? [] : [`--port=${db_port}`]),
    ...(role === undefined ? [] : [`--username=${role}`]),
    `--dbname=${connectionTo(maintenance_db)}`,
  ];
}

/** The client takes a name with an equals sign, or one like an address, for a whole connection: to another server, say. */
function connectionTo(database: string): string {
  if (!/=|:\/\//u.test(database)) return database;
  return `dbname='${database.replaceAll(/['\\]/gu, String.raw`\$&`)}'`;
}

function optionsFor(server: Server, input: string): CommandOptions {
  const { db_password } = server;
  const user = accountOf(server);
  return {
    cwd: '/',
    env: { PGCONNECT_TIMEOUT: String(CONNECT_MS / 1000), PGAPPNAME: 'conductor' },
    timeoutMs: QUERY_TIMEOUT_MS,
    input: db_password === undefined ? input : `${db_password}\n${input}`,
    ...(user === undefined ? {} : { user }),
  };
}

async function ask(
  host: HostView,
  server: Server,
  { input, timeoutMs = QUERY_TIMEOUT_MS }: { input: string; timeoutMs?: number },
): Promise<Output> {
  const output = await host.query(psql(server), { ...optionsFor(server, input), timeoutMs });
  return { ...output, stderr: output.stderr.replace(/^Password[^:\n]*: ?\n?/u, '') };
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

/** What a server answers. One that is starting is waited for, one that does not answer is not. */
async function whenUp(host: HostView, server: Server, input: string): Promise<Output> {
  const asking = (text: string) => (timeoutMs: number) =>
    ask(host, server, { input: text, timeoutMs });
  const key = `postgres:${identityOf(server)}`;
  const title = `PostgreSQL${placeOf(server)}`;
  const asked = { title, key, isSilence: SAYS_NOTHING, connectMs: CONNECT_MS };
  for (let waited = 0; ; waited += POLL_MS) {
    const output = await askPatiently(host, asked, asking(input), asking(PROBE));
    if (output.exitCode !== CANNOT_CONNECT) return output;
    const starts =
      /starting up|recovery mode|shutting down|not yet accepting/u.test(output.stderr) ||
      (server.db_host === undefined && (await isStarting(host, 'postgresql*')));
    const isDown = /No such file or directory|Connection refused/u.test(output.stderr);
    if (!starts && !isDown) return output;
    if (waited >= (starts ? WAIT_FOR_START_MS : WAIT_FOR_SOCKET_MS)) throw isNotUp(title, output);
    await host.sleep(POLL_MS);
  }
}

function placeOf({ db_host, db_port }: Server): string {
  const where = db_host === undefined ? '' : ` at ${db_host}`;
  return db_port === undefined ? where : `${where} on port ${db_port}`;
}

function isNotUp(title: string, { stderr }: Output): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot reach ${title}: the server is not up: ${stderr.trim()}`,
  );
}

/** A database that is not there may be brought about by an earlier state. */
function refusedBy(output: Output, server: Server): ConductorError {
  const { code, message, details } = failed('ask PostgreSQL', psql(server), output);
  const [, database] = /database "(.*)" does not exist/u.exec(output.stderr) ?? [];
  const lacks = database === undefined ? {} : { lacks: [`postgres-database:${database}`] };
  return new ConductorError(code, message, { ...details, ...lacks });
}
