import { readFile, readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { readSettings } from '../language/settings/settings.ts';
import type { SettingsFile } from '../language/settings/settings-sources.ts';
import { minionIdSchema } from '../protocol/identifiers.ts';
import { ConductorError, messageOf, systemCode } from '../shared/errors.ts';
import { minionConfigSchema } from './config-schema.ts';
import type { MinionConfig } from './config-schema.ts';

export const DEFAULT_CONFIG = '/etc/conductor/minion.yaml';

const PREFIX = 'CONDUCTOR_MINION_';
const FILE_VARIABLE = `${PREFIX}CONFIG`;

/** The whole configuration, with nothing left open. */
export interface Configuration extends MinionConfig {
  readonly id: string;
}

export interface ConfigSource {
  /** `--config`; the default file need not be there. */
  readonly file: string | undefined;
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Flags over environment over files over defaults. Throws CONFIG_INVALID with every mistake. */
export async function readConfig(source: ConfigSource): Promise<Configuration> {
  z.config(en());
  const { [FILE_VARIABLE]: variable, ...environment } = source.environment;
  const files = await settingsFiles(source.file ?? variable);
  const { flags } = source;
  const config = readSettings(minionConfigSchema, { files, environment, prefix: PREFIX, flags });
  return { ...config, id: config.id ?? idOfHost(hostname()) };
}

/** A host's name as a minion's id. Throws CONFIG_INVALID if it cannot be one. */
export function idOfHost(name: string): string {
  const id = minionIdSchema.safeParse(name.toLowerCase());
  if (id.success) return id.data;
  throw new ConductorError(
    'CONFIG_INVALID',
    `Cannot use the host name "${name}" as the minion's id: set "id" in ${DEFAULT_CONFIG}`,
  );
}

/** The main file, then those of its `.d` directory by name. */
async function settingsFiles(given: string | undefined): Promise<SettingsFile[]> {
  const main = given ?? DEFAULT_CONFIG;
  const directory = main.replace(/(?:\.yaml)?$/u, '.d');
  const names = (await orNull(readdir(directory), directory)) ?? [];
  const more = names.filter((name) => /^[^.].*\.yaml$/u.test(name)).toSorted();
  const paths = [main, ...more.map((name) => join(directory, name))];
  const files = await Promise.all(paths.map(readOne));
  if (given !== undefined && files[0] === null)
    throw new ConductorError('CONFIG_INVALID', `Cannot read "${given}": there is no such file`);
  return files.filter((file) => file !== null);
}

async function readOne(path: string): Promise<SettingsFile | null> {
  const bytes = await orNull(readFile(path), path);
  return bytes === null ? null : { path, bytes };
}

async function orNull<T>(reading: Promise<T>, path: string): Promise<T | null> {
  try {
    return await reading;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return null;
    const message = `Cannot read "${path}": ${messageOf(cause)}`;
    throw new ConductorError('CONFIG_INVALID', message, { cause });
  }
}
