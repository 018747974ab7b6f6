import type { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import type { Server } from './mysql-fields.ts';
import { askPatiently } from './patience.ts';
import { isStarting } from './starting.ts';

const WAIT_FOR_SOCKET_MS = 5000;
const WAIT_FOR_START_MS = 60_000;
const POLL_MS = 250;
/** What the client says when a server lets it in and then hangs. */
const SAYS_NOTHING = /reading initial communication packet/u;
/** What it says when no server answers: 2002 on a socket, 2003 on TCP. */
const NO_SERVER = /ERROR 200[23] /u;

/** Asks a server for rows, each of one JSON value: once for all who ask the same until it is told something. */
export async function askServer<T>(
  host: HostView,
  server: Server,
  row: z.ZodType<T>,
  sql: string,
): Promise<readonly T[]> {
  return sharedAnswer(host, server, sql, async () => {
    const output = await whenUp(host, server, sql);
    if (output.exitCode !== 0) throw failed('ask MySQL', ['mariadb'], output);
    return linesOf(output.stdout).map((line) => row.parse(JSON.parse(line)));
  });
}

/** The lines that a statement answers; `null` if the server refuses it with the error of that number. */
export async function askLines(
  host: HostView,
  server: Server,
  sql: string,
  refusedWith: number,
): Promise<readonly string[] | null> {
  return sharedAnswer(host, server, sql, async () => {
    const output = await whenUp(host, server, sql);
    if (output.exitCode === 0) return linesOf(output.stdout);
    if (output.stderr.includes(`ERROR ${refusedWith} `)) return null;
    throw failed('ask MySQL', ['mariadb'], output);
  });
}

/** Carries out statements. */
export async function tellServer(
  host: Host,
  server: Server,
  sql: readonly string[],
): Promise<void> {
  try {
    await runScript(host, server, { sql: script(`${sql.join(';\n')};`) });
  } catch (error) {
    throw withoutStatement(error);
  }
}

/** The client repeats a statement that went wrong, between two lines: with what is kept of a password in it. */
function withoutStatement(error: unknown): unknown {
  if (!(error instanceof ConductorError)) return error;
  const { output } = error.details;
  if (typeof output !== 'string') return error;
  const said = output.replace(/^[^]*(?:^|\n)-{5,}\n/u, '');
  return new ConductorError(error.code, error.message, { ...error.details, output: said });
}

/** Carries out what stands in a text, in a database if one is given; says what the server answered. */
export async function runScript(
  host: Host,
  server: Server,
  text: { sql: string; database?: string },
): Promise<string> {
  await whenUp(host, server, 'SELECT 1;');
  const { argv, input } = command(await programOn(host), server, text);
  try {
    return (await host.run(argv, { input })).stdout;
  } finally {
    for (const topic of await topicsOf(host)) host.changed(topic);
  }
}

async function sharedAnswer<T>(
  host: HostView,
  server: Server,
  sql: string,
  load: () => Promise<T>,
): Promise<T> {
  const topic = `mysql:${serverKey(server)}:${sql}`;
  (await topicsOf(host)).add(topic);
  return host.shared(topic, load);
}

function serverKey(server: Server): string {
  const { connection_host, connection_port, connection_user } = server;
  const { connection_unix_socket, connection_default_file } = server;
  return JSON.stringify([
    connection_host,
    connection_port,
    connection_user,
    connection_unix_socket,
    connection_default_file,
  ]);
}

/** What was asked of servers in this run: all of it is asked anew once something was told to one. */
function topicsOf(host: HostView): Promise<Set<string>> {
  return host.shared('mysql topics', () => Promise.resolve(new Set<string>()));
}

async function whenUp(host: HostView, server: Server, sql: string): Promise<Output> {
  const program = await programOn(host);
  const asking = (text: string) => {
    const { argv, input } = command(program, server, { sql: script(text) });
    return (timeoutMs: number) => host.query(argv, { input, timeoutMs });
  };
  const key = `mysql:${serverKey(server)}`;
  const asked = { title: 'MySQL', key, isSilence: SAYS_NOTHING };
  for (let waited = 0; ; waited += POLL_MS) {
    const output = await askPatiently(host, asked, asking(sql), asking('SELECT 1;'));
    if (output.exitCode === 0 || !NO_SERVER.test(output.stderr)) return output;
    const starts =
      server.connection_host === undefined &&
      ((await isStarting(host, 'mariadb*')) || (await isStarting(host, 'mysql*')));
    if (waited >= (starts ? WAIT_FOR_START_MS : WAIT_FOR_SOCKET_MS)) throw isNotUp(output);
    await host.sleep(POLL_MS);
  }
}

/** MariaDB's client has its own name since 10.5; MySQL's and older ones are `mysql`. */
async function programOn(host: HostView): Promise<'mariadb' | 'mysql'> {
  return (await host.status('/usr/bin/mariadb')) === null ? 'mysql' : 'mariadb';
}

interface Command {
  readonly argv: Argv;
  readonly input: string;
}

/**
 * The client with statements on its standard input. A password goes there too, as the first line: a
 * fixed text for the shell hands it on to the client as a file of options that is only a pipe.
 */
function command(
  program: 'mariadb' | 'mysql',
  server: Server,
  { sql, database }: { sql: string; database?: string },
): Command {
  const { connection_pass: password, connection_default_file: file } = server;
  const options = [...clientOptions(server), ...(database === undefined ? [] : ['--', database])];
  if (password === undefined) {
    const read = file === undefined ? [] : [`--defaults-file=${file}`];
    return { argv: [program, ...read, ...options], input: sql };
  }
  const read = `--defaults-${file === undefined ? 'extra-' : ''}file=/dev/fd/3`;
  const hidden = ['sh', '-c', WITH_PASSWORD, 'sh', file ?? '', program, read] as const;
  const quoted = password.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return { argv: [...hidden, ...options], input: `${quoted}\n${sql}` };
}

/** What the shell holds in a variable of its own stands neither in its arguments nor in its environment. */
const WITH_PASSWORD = `IFS= read -r password && include=\${1:+!include $1} && shift && exec "$@" 3<<END
$include
[client]
password="$password"
END`;

function clientOptions(server: Server): string[] {
  const { connection_host, connection_port, connection_user, connection_unix_socket } = server;
  const said = [
    ['host', connection_host],
    ['port', connection_port],
    ['user', connection_user],
    ['socket', connection_unix_socket],
  ] as const;
  return [
    '--batch',
    '--raw',
    // Else it takes lines such as `system reboot` and `\\! reboot` for commands to the client itself.
    '--binary-mode',
    '--skip-column-names',
    `--default-character-set=${server.connection_charset}`,
    // Also over a socket: a server that hangs lets one in and says nothing.
    '--connect-timeout=10',
    ...said.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
  ];
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
