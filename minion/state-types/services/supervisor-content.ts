import { z } from 'zod';
import { processFields, section } from './lib/process-fields.ts';

/** Arguments of `supervisor.program`. */
export const programSchema = z
  .strictObject({
    ...processFields,
    startsecs: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('Seconds after which a start has succeeded'),
    startretries: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('How often it is tried to start it'),
    redirect_stderr: z.boolean().exactOptional().describe('Errors go where the output goes'),
    stopasgroup: z.boolean().exactOptional().describe('Its children are told to end as well'),
    killasgroup: z.boolean().exactOptional().describe('Its children are killed with it'),
  })
  .refine(({ env = {} }) => Object.values(env).every(canBeQuoted), {
    error:
      'supervisor can hold no value with both kinds of quotes, or with one at its start or end',
    path: ['env'],
  })
  .describe(
    "A process that Debian's supervisor keeps running. The whole configuration is checked before anything is replaced; " +
      'then supervisor takes it, and the program must be up and stay up for `init_delay` seconds, or its old ' +
      'configuration is put back. When something that it watches changes, it is restarted.',
  );
export type ProgramArgs = z.infer<typeof programSchema>;

/** The file that makes supervisor run a program. */
export function contentOf(args: ProgramArgs): string {
  const { name, cmd, args: words, numprocesses, env } = args;
  return section(`program:${name}`, {
    command: escaped(words === undefined ? cmd : `${cmd} ${words}`),
    numprocs: numprocesses,
    process_name: numprocesses > 1 ? '%(program_name)s_%(process_num)d' : undefined,
    user: args.uid,
    directory: args.working_dir,
    environment: env === undefined ? undefined : environmentOf(env),
    autostart: args.autostart,
    autorestart: args.respawn,
    priority: args.priority,
    startsecs: args.startsecs,
    startretries: args.startretries,
    stopsignal: args.stop_signal,
    stopwaitsecs:
      args.graceful_timeout === undefined ? undefined : Math.ceil(args.graceful_timeout),
    stopasgroup: args.stopasgroup,
    killasgroup: args.killasgroup,
    redirect_stderr: args.redirect_stderr,
    ...streamOptions('stdout', args.stdout_stream),
    ...streamOptions('stderr', args.stderr_stream),
  });
}

function streamOptions(
  name: string,
  stream: ProgramArgs['stdout_stream'],
): Record<string, string | number | undefined> {
  if (stream === undefined) return {};
  return {
    [`${name}_logfile`]: escaped(stream.filename),
    [`${name}_logfile_maxbytes`]: stream.max_bytes,
    [`${name}_logfile_backups`]: stream.backup_count,
  };
}

/** Supervisor knows two kinds of quotes and no way to escape one. */
function environmentOf(env: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(env).map(([key, value]) => {
    const quote = value.includes('"') ? "'" : '"';
    return `${key}=${quote}${value}${quote}`;
  });
  return escaped(pairs.join(','));
}

function canBeQuoted(value: string): boolean {
  return !/^['"]|['"]$/u.test(value) && !(value.includes("'") && value.includes('"'));
}

/** Supervisor reads `%(…)s` in its values. */
function escaped(text: string): string {
  return text.replaceAll('%', '%%');
}
