import type { WatcherArgs } from './circus-schema.ts';
import { section } from './lib/process-fields.ts';

/** The file that makes circus run a watcher. */
export function contentOf(args: WatcherArgs): string {
  const { name, env, rlimits = {}, stdout_stream, stderr_stream } = args;
  const limits = Object.entries(rlimits).map(([key, limit]) => [`rlimit_${key}`, limit] as const);
  const watcher = section(`watcher:${name}`, {
    ...plainOptions(args),
    ...Object.fromEntries(limits),
    ...streamOptions('stdout_stream', stdout_stream),
    ...streamOptions('stderr_stream', stderr_stream),
  });
  return env === undefined ? watcher : `${watcher}\n${section(`env:${name}`, env)}`;
}

const PLAIN = [
  'cmd',
  'args',
  'numprocesses',
  'uid',
  'gid',
  'working_dir',
  'copy_env',
  'copy_path',
  'shell',
  'singleton',
  'use_sockets',
  'send_hup',
  'stop_children',
  'warmup_delay',
  'max_retry',
  'max_age',
  'graceful_timeout',
  'stop_signal',
  'priority',
  'respawn',
  'autostart',
] as const satisfies (keyof WatcherArgs)[];

function plainOptions(args: WatcherArgs): Record<string, string | number | boolean | undefined> {
  return Object.fromEntries(PLAIN.map((key) => [key, args[key]]));
}

function streamOptions(
  name: string,
  stream: WatcherArgs['stdout_stream'],
): Record<string, string | number> {
  if (stream === undefined) return {};
  const options = { class: 'FileStream', ...stream };
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [`${name}.${key}`, value]),
  );
}

/** Whether circus itself is to keep it running. */
export function mustRun({ autostart, numprocesses }: WatcherArgs): boolean {
  return autostart && numprocesses > 0;
}
