import { pillarSchema, topFileSchema } from '../language/editor/data-schemas.ts';
import type { JsonSchema } from '../language/editor/json-schema.ts';
import { stateFileSchema } from '../language/editor/state-file-schema.ts';
import { stateTypes } from '../minion/state-types/index.ts';

/** The schemas for editors, by path below `docs/`. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['schema/states.json', textOf(stateFileSchema(stateTypes))],
    ['schema/states-top.json', textOf(topFileSchema())],
    ['schema/pillars.json', textOf(pillarSchema())],
    ['schema/pillars-top.json', textOf(topFileSchema('pillars'))],
  ]);
}

/** Settings of a YAML language server; `folder` is where it finds the schemas. */
export function editorSettings(folder: string) {
  return {
    schemas: {
      [`${folder}/states.json`]: ['states/**/*.yaml', 'states/**/*.sls', '!states/top.*'],
      [`${folder}/states-top.json`]: 'states/top.*',
      [`${folder}/pillars.json`]: ['pillars/**/*.yaml', 'pillars/**/*.sls', '!pillars/top.*'],
      [`${folder}/pillars-top.json`]: 'pillars/top.*',
    },
    customTags: ['!sealed scalar'],
  };
}

/** One definition a line: small enough to keep, and a change shows where it is. */
function textOf(schema: JsonSchema): string {
  const { definitions, ...head } = schema;
  const opened = JSON.stringify(head).slice(0, -1);
  if (typeof definitions !== 'object' || definitions === null) return `${opened}}\n`;
  const lines = Object.entries(definitions).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  return `${opened},"definitions":{\n${lines.join(',\n')}\n}}\n`;
}
