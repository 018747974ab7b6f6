import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The test tree mirrors the source tree: every source `a/b/c.ts` is reached, by itself or through
 * the sources that use it, from a test that stands in `test/a/b/` or a folder above it. Prints
 * those that are not.
 */

const SUBJECTS = ['shared', 'language', 'protocol', 'master', 'minion'];

/** Entry points and pure types have nothing that a unit test could see. */
const EXEMPT = new Set([
  'master/main.ts',
  'minion/main.ts',
  'minion/run/main.ts',
  'minion/custom-types/main.ts',
  'minion/host/host.ts',
  'minion/engine/state-type.ts',
  'language/tree.ts',
  'language/state-schema.ts',
  'shared/surroundings.ts',
]);

const sources = SUBJECTS.flatMap((folder) => typescriptIn(folder));
const reachedFrom = new Map(typescriptIn('test').map((test) => [test, reachable(test)]));

const untested = sources.filter((source) => !EXEMPT.has(source) && !isTested(source));
for (const source of untested) {
  console.error(`${source} is reached by no test in test/${dirname(source)}/ or above`);
}
if (sources.length < 50) console.error(`only ${sources.length} sources: is this the project?`);
process.exitCode = untested.length > 0 || sources.length < 50 ? 1 : 0;

function typescriptIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function isTested(source: string): boolean {
  const folder = `test/${dirname(source)}/`;
  return [...reachedFrom].some(
    ([test, reached]) => folder.startsWith(`${dirname(test)}/`) && reached.has(source),
  );
}

function reachable(start: string): Set<string> {
  const seen = new Set([start]);
  for (const path of seen) {
    for (const imported of importsOf(path)) seen.add(imported);
  }
  return seen;
}

function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const named = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/gu)];
  const paths = named.map(([, target = '']) => join(dirname(path), target));
  // A test may hold the text of a module that imports what is not there.
  return paths.filter((path) => existsSync(path));
}
