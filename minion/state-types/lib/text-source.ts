import { z } from 'zod';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';

/** Arguments of types that write a whole text file: its text comes from the tree or stands in the state. */
export const textSource = {
  source: z
    .custom<TreeFile>(isTreeFile, { error: 'expected a file below templates/' })
    .meta({ type: 'string' })
    .exactOptional()
    .describe('A file below templates/; rendered if it ends in .hbs'),
  contents: z
    .union([z.string(), z.array(z.string()).transform((lines) => lines.join('\n'))])
    .exactOptional()
    .describe('The text itself, as a text or a list of lines'),
  template: z
    .enum(['handlebars', 'none'])
    .exactOptional()
    .describe('Whether the source is rendered, where its name alone does not say so'),
  context: z.record(z.string(), z.unknown()).exactOptional().describe('Values for the template'),
  defaults: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('Values for the template that `context` does not give'),
};

export interface TextSource {
  source?: TreeFile;
  contents?: string;
}

export function hasOneSource({ source, contents }: TextSource): boolean {
  return (source === undefined) !== (contents === undefined);
}

/** What is said where `hasOneSource` does not hold. */
export const ONE_SOURCE = { error: 'expected either `source` or `contents`', path: ['source'] };

/** The text, ending with a line's end as such files must. */
export function textFrom({ source, contents }: TextSource): string {
  const text = source === undefined ? (contents ?? '') : Buffer.from(source.read()).toString();
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
