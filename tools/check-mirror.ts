import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The test tree mirrors the source tree: a source `a/b/c.ts` has `test/a/b/c.test.ts`, or is named
 * in some test of `test/a/b/` (small neighbours share a test file). Prints those that have none.
 */

const SUBJECTS = ['shared', 'language', 'protocol', 'master', 'minion'];

/** Entry points and pure types have nothing that a unit test could see. */
const EXEMPT = new Set([
  'master/main.ts',
  'minion/main.ts',
  'minion/run/main.ts',
  'minion/host/host.ts',
  'minion/engine/state-type.ts',
  'language/tree.ts',
  'language/state-schema.ts',
]);

const sources = SUBJECTS.flatMap((folder) => typescriptIn(folder));
const tests = typescriptIn('test').map((path) => ({ path, text: readFileSync(path, 'utf8') }));

const untested = sources.filter((source) => !EXEMPT.has(source) && !isTested(source));
for (const source of untested)
  console.error(`${source} is imported by no test below test/${dirname(source)}/`);
if (sources.length < 50)
  console.error(`only ${sources.length} sources found: is this the project's folder?`);
process.exitCode = untested.length > 0 || sources.length < 50 ? 1 : 0;

function typescriptIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Imported by a test that stands in the mirrored folder, or above it. */
function isTested(source: string): boolean {
  const ending = `/${source}'`;
  const folder = `test/${dirname(source)}`;
  return tests.some(({ path, text }) => folder.startsWith(dirname(path)) && text.includes(ending));
}
