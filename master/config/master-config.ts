import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { LOG_LEVELS } from '../../shared/log.ts';
import { readSettings } from '../../language/settings/settings.ts';
import { readSettingsFiles } from './settings-files.ts';

const ADDRESS = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]]+)):(?<port>[0-9]{1,5})$/u;

/** `host:port`, an IPv6 address in brackets. */
const addressSchema = z
  .string()
  .regex(ADDRESS, 'expected an address and a port, such as "0.0.0.0:4510" or "[::]:4510"')
  .refine((text) => Number(/[0-9]+$/u.exec(text)?.[0]) < 65_536, 'the port must be below 65536');

const path = z.string().refine(isAbsolute, 'expected an absolute path');

const configSchema = z.strictObject({
  listen: addressSchema.default('0.0.0.0:4510').describe('Where minions connect'),
  address: addressSchema
    .optional()
    .describe('How minions reach this master; put into join strings. Default: its host name'),
  socket: path.default('/run/conductor/master.sock').describe('For the command line'),
  state_directory: path
    .default('/var/lib/conductor/master')
    .describe('Keys, jobs, reports and revisions'),
  tree: path.default('/srv/conductor').describe('The directory with states/, pillars/, templates/'),
  tls: z
    .strictObject({ cert: path, key: path })
    .optional()
    .describe('PEM files: serve wss:// in place of ws://'),
  history: z
    .strictObject({
      days: z.int().positive().default(90),
      megabytes: z.int().positive().default(2048),
    })
    .prefault({})
    .describe('How long and how much is kept of jobs and reports'),
  log_level: z.enum(LOG_LEVELS).default('info').describe('How much is logged'),
});

export type MasterConfig = z.infer<typeof configSchema>;

export const DEFAULT_CONFIG_FILE = '/etc/conductor/master.yaml';

const PREFIX = 'CONDUCTOR_MASTER_';

export interface ConfigSource {
  /** `null`: what `CONDUCTOR_MASTER_CONFIG` says, or else the default file, which may be absent. */
  readonly file: string | null;
  readonly environment: NodeJS.ProcessEnv;
  /** By key, as the command line gave them; `undefined` where it did not. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** Flags over `CONDUCTOR_MASTER_*` over files over defaults. Throws CONFIG_INVALID with all mistakes. */
export async function readMasterConfig({
  file,
  environment,
  flags,
}: ConfigSource): Promise<MasterConfig> {
  const { [`${PREFIX}CONFIG`]: named, ...rest } = environment;
  const files = await readSettingsFiles(file ?? named ?? null, DEFAULT_CONFIG_FILE);
  return readSettings(configSchema, { files, environment: rest, prefix: PREFIX, flags });
}

/** Takes a checked `host:port` apart. */
export function splitAddress(address: string): { host: string; port: number } {
  const { six, host, port } = ADDRESS.exec(address)?.groups ?? {};
  return { host: six ?? host ?? '', port: Number(port) };
}
