import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import type { SettingsFile } from '../../language/settings/settings-sources.ts';

/**
 * The main configuration file, then those of its `.d` directory by name; later ones win. Only a
 * file that nobody named may be absent. Throws CONFIG_INVALID.
 */
export async function readSettingsFiles(
  given: string | null,
  byDefault: string,
): Promise<readonly SettingsFile[]> {
  const main = given ?? byDefault;
  const directory = main.replace(/(?:\.yaml)?$/u, '.d');
  const names = (await orNull(readdir(directory), directory)) ?? [];
  const more = names.filter((name) => /^[^.].*\.yaml$/u.test(name)).toSorted();
  const first = await orNull(readFile(main), main);
  if (first === null && given !== null) throw unreadable(main, 'there is no such file');
  const files: SettingsFile[] = first === null ? [] : [{ path: main, bytes: first }];
  for (const name of more) {
    const path = join(directory, name);
    const bytes = await orNull(readFile(path), path);
    if (bytes !== null) files.push({ path, bytes });
  }
  return files;
}

/** `null` for what is not there. */
async function orNull<T>(reading: Promise<T>, path: string): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw unreadable(path, messageOf(error));
  }
}

function unreadable(path: string, reason: string): ConductorError {
  return new ConductorError('CONFIG_INVALID', `Cannot read "${path}": ${reason}`);
}
