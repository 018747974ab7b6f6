import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TYPES_FOLDER } from '../language/custom-files.ts';
import { schemaOf } from '../language/described-types.ts';
import { readDirectory } from '../language/source.ts';
import { describedTypes } from './custom-types.ts';
import type { Documented } from './render/manual.ts';

/** The state types that the tree in a directory brings along, for the manual; none if it has none. */
export async function documentedTypes(directory: string): Promise<readonly Documented[]> {
  if (!existsSync(join(directory, TYPES_FOLDER))) return [];
  const types = await describedTypes(await readDirectory(directory));
  return types.map((type) => ({ ...schemaOf(type), example: type.example }));
}
