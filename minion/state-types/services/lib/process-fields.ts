import { z } from 'zod';
import type { HostView } from '../../../host/host.ts';
import { EXPOSED, absolutePath, accountReference, environment } from '../../lib/fields.ts';
import { needDirectory, needProgram, programOf } from '../../lib/programs.ts';

/** One value of an INI file: what follows ` ;` would be read as a comment. */
const value = z.string().regex(/^(?!.*\s;)[^\r\n\0]*$/u, {
  error: 'expected a single line without a semicolon after a space',
});

const stream = z.strictObject({
  filename: absolutePath.describe('The file'),
  max_bytes: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe('Size at which a new file is begun; 0 is never'),
  backup_count: z.int().nonnegative().exactOptional().describe('How many older files are kept'),
});

const SIGNALS = ['TERM', 'HUP', 'INT', 'QUIT', 'KILL', 'USR1', 'USR2'] as const;

/** Arguments about a process that something keeps running: `circus.watcher` and `supervisor.program` share them. */
export const processFields = {
  name: z
    .string()
    .regex(/^[\w.-]{1,100}$/u, { error: 'expected letters, digits, dots, dashes and underscores' })
    .describe('Name of the process'),
  cmd: value
    .min(1)
    .describe('The program, with its arguments if `args` is not given; no shell reads it')
    .meta(EXPOSED),
  args: z
    .union([value, z.array(value).transform((words) => words.map(quoted).join(' '))])
    .exactOptional()
    .describe('Its arguments, as a list of words or as one text with quotes')
    .meta(EXPOSED),
  numprocesses: z.int().nonnegative().default(1).describe('How many of it run'),
  uid: accountReference.exactOptional().describe('The account that it runs as'),
  working_dir: absolutePath.exactOptional().describe('Where it runs'),
  env: environment.pipe(z.record(z.string(), value)).exactOptional().describe('Its environment'),
  stdout_stream: stream
    .exactOptional()
    .describe('Where its output goes: filename, max_bytes, backup_count'),
  stderr_stream: stream
    .exactOptional()
    .describe('Where its errors go: filename, max_bytes, backup_count'),
  autostart: z
    .boolean()
    .default(true)
    .describe('Runs from the start; false leaves starting it to others'),
  respawn: z.boolean().default(true).describe('Is started again when it ends'),
  graceful_timeout: z
    .number()
    .positive()
    .exactOptional()
    .describe('Seconds that it has to end before it is killed'),
  stop_signal: z
    .enum(SIGNALS)
    .exactOptional()
    .describe('How it is told to end, such as TERM or QUIT'),
  priority: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe('Order among the others when all are started'),
  init_delay: z
    .number()
    .nonnegative()
    .max(300)
    .default(3)
    .describe('Seconds that it must live after a change before it counts as up'),
};

/** Refuses what could not be started: a program or a directory that is not there. */
export async function needProcess(
  { cmd, working_dir: directory }: { readonly cmd: string; readonly working_dir?: string },
  host: HostView,
): Promise<void> {
  const program = programOf(cmd);
  if (program !== null) await needProgram(program, host);
  if (directory !== undefined) await needDirectory(directory, host);
}

/** Lines of one section of an INI file; what is not said is left out. */
export function section(
  name: string,
  entries: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const lines = Object.entries(entries).flatMap(([key, entry]) =>
    entry === undefined
      ? []
      : [`${key} = ${typeof entry === 'boolean' ? capitalized(entry) : entry}`],
  );
  return [`[${name}]`, ...lines, ''].join('\n');
}

function capitalized(answer: boolean): string {
  return answer ? 'True' : 'False';
}

/** A word as it must be written so that splitting the line as a shell would gives it back. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./()$-]+$/u.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}
