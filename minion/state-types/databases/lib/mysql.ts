import type { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { command, programOn, script, serverKey, whenUp } from './mysql-client.ts';
import type { Server } from './mysql-fields.ts';

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

/** What a server has to say against statements that change nothing but their own session; `null` if it takes them. */
export async function complaintAbout(
  host: HostView,
  server: Server,
  sql: string,
): Promise<string | null> {
  return sharedAnswer(host, server, sql, async () => {
    const output = await whenUp(host, server, sql);
    if (output.exitCode === 0) return null;
    const [, complaint] = /^ERROR \d+ \(\w+\)[^:]*: (.*)$/mu.exec(output.stderr) ?? [];
    if (complaint !== undefined) return complaint;
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

/** What was asked of servers in this run: all of it is asked anew once something was told to one. */
function topicsOf(host: HostView): Promise<Set<string>> {
  return host.shared('mysql topics', () => Promise.resolve(new Set<string>()));
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
