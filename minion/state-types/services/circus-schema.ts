import { z } from 'zod';
import { absolutePath, accountReference } from '../lib/fields.ts';
import { processFields } from './lib/process-fields.ts';

/** Which circus it is about. */
export const circusFields = {
  circusctl: absolutePath
    .default('/srv/environments/circus/bin/circusctl')
    .describe('The circusctl of the circus that is to run it'),
  config: absolutePath
    .default('/etc/circus/circus.ini')
    .describe('Configuration of circus, whose include_dir is conf.d beside it'),
};

const flag = z.boolean().exactOptional();
/** Arguments of `circus.watcher`. */
export const watcherSchema = z
  .strictObject({
    ...processFields,
    ...circusFields,
    gid: accountReference.exactOptional().describe('The group that it runs as'),
    copy_env: flag.describe("Also gets circus's own environment"),
    copy_path: flag.describe("Also gets circus's own Python path"),
    shell: flag.describe('Is run by a shell'),
    singleton: flag.describe('There is never more than one of it'),
    use_sockets: flag.describe('Inherits the sockets that circus holds'),
    send_hup: flag.describe('Is sent HUP on a reload'),
    stop_children: flag.describe('Its children are told to end as well'),
    warmup_delay: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('Seconds between the starts of two of it'),
    max_retry: z
      .int()
      .min(-1)
      .exactOptional()
      .describe('How often circus tries to start it; -1 is for ever'),
    max_age: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('Seconds after which it is replaced; 0 is never'),
    rlimits: z
      .record(z.string().regex(/^[a-z]+$/u), z.int())
      .exactOptional()
      .describe('Limits of its resources, such as nofile: 4096'),
    reload: z
      .boolean()
      .default(false)
      .describe('When something that it watches changes, it is reloaded in place of restarted'),
  })
  .describe(
    'A process that circus keeps running. The configuration of all watchers is checked before anything is replaced; ' +
      'then circus takes it, and the watcher must be up and stay up for `init_delay` seconds, or its old configuration ' +
      'is put back. When something that it watches changes, it is restarted.',
  );
export type WatcherArgs = z.infer<typeof watcherSchema>;
