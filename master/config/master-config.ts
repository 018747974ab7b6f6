import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { LOG_LEVELS } from '../../shared/log.ts';
import { readSettings, type SettingsSource } from './settings.ts';

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

/** Flags over `CONDUCTOR_MASTER_*` over files over defaults. Throws CONFIG_INVALID with all mistakes. */
export async function readMasterConfig(source: SettingsSource): Promise<MasterConfig> {
  return readSettings(configSchema, source);
}

/** Takes a checked `host:port` apart. */
export function splitAddress(address: string): { host: string; port: number } {
  const { six, host, port } = ADDRESS.exec(address)?.groups ?? {};
  return { host: six ?? host ?? '', port: Number(port) };
}
