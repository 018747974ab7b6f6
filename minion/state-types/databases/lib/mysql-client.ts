import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, HostView, Output } from '../../../host/host.ts';
import type { Server } from './mysql-fields.ts';
import { askPatiently } from './patience.ts';
import { isStarting } from './starting.ts';

const WAIT_FOR_SOCKET_MS = 5000;
const WAIT_FOR_START_MS = 60_000;
const CONNECT_MS = 10_000;
const POLL_MS = 250;
/** What the client says when a server lets it in and then hangs, or when nothing answers at its address. */
const SAYS_NOTHING = /reading initial communication packet|^ERROR 200[23] .*\((?:110|115)\)/mu;
/** What it says when no server answers: 2002 on a socket, 2003 on TCP. */
const NO_SERVER = /ERROR 200[23] /u;
/** There is no socket, or nobody listens: as long as a server starts. */
const MAY_COME_UP = /\((?:2|111)(?: "[^"]*")?\)/u;

/** Tells it from others. */
export function serverKey(server: Server): string {
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

/** What a server answers. One that is starting is waited for, one that does not answer is not. */
export async function whenUp(host: HostView, server: Server, sql: string): Promise<Output> {
  const program = await programOn(host);
  const asking = (text: string) => {
    const { argv, input } = command(program, server, { sql: script(text) });
    return (timeoutMs: number) => host.query(argv, { input, timeoutMs });
  };
  const key = `mysql:${serverKey(server)}`;
  const title = `MySQL${placeOf(server)}`;
  const asked = { title, key, isSilence: SAYS_NOTHING, connectMs: CONNECT_MS };
  for (let waited = 0; ; waited += POLL_MS) {
    const output = await askPatiently(host, asked, asking(sql), asking('SELECT 1;'));
    if (output.exitCode === 0 || !NO_SERVER.test(output.stderr)) return output;
    if (!MAY_COME_UP.test(output.stderr)) throw isNotUp(title, output);
    const starts =
      server.connection_host === undefined &&
      ((await isStarting(host, 'mariadb*')) || (await isStarting(host, 'mysql*')));
    if (waited >= (starts ? WAIT_FOR_START_MS : WAIT_FOR_SOCKET_MS)) throw isNotUp(title, output);
    await host.sleep(POLL_MS);
  }
}

/** MariaDB's client has its own name since 10.5; MySQL's and older ones are `mysql`. */
export async function programOn(host: HostView): Promise<'mariadb' | 'mysql'> {
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
export function command(
  program: 'mariadb' | 'mysql',
  server: Server,
  { sql, database }: { sql: string; database?: string },
): Command {
  const { connection_pass: password, connection_default_file: file } = server;
  const options = [...clientOptions(server), ...(database === undefined ? [] : ['--', database])];
  if (password === undefined || password === '') {
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
    `--connect-timeout=${CONNECT_MS / 1000}`,
    ...said.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
  ];
}

/**
 * With no special mode, a backslash escapes and a quote is always a quote; MariaDB would then make an account
 * without a password out of a grant to one that does not exist.
 */
export function script(sql: string): string {
  const modes = "SET SESSION sql_mode='';\n/*M! SET SESSION sql_mode='NO_AUTO_CREATE_USER' */;";
  return `${modes}\n${sql}\n`;
}

function placeOf({ connection_host: at, connection_port: port }: Server): string {
  const where = at === undefined ? '' : ` at ${at}`;
  return port === undefined ? where : `${where} on port ${port}`;
}

function isNotUp(title: string, { stderr }: Output): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot reach ${title}: the server is not up: ${stderr.trim()}`,
  );
}
