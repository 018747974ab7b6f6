import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from '../../tools/reference.ts';

const pages = referencePages();

for (const [path, text] of pages) {
  test(`docs/${path} is what the code says (npm run docs writes it)`, (t) => {
    t.is(readFileSync(join('docs', path), 'utf8'), text);
  });
}

test('no page of the reference is left of a module that is gone', (t) => {
  const written = readdirSync('docs/states').map((name) => `states/${name}`);
  t.deepEqual(
    written.filter((path) => !pages.has(path)),
    [],
  );
});

test('every state type and every argument is in the reference', async (t) => {
  const { stateTypes } = await import('../../minion/state-types/index.ts');
  const all = [...pages.values()].join('\n');
  for (const name of stateTypes.keys()) t.true(all.includes(`\n## ${name}\n`), name);
  t.true(stateTypes.size > 30);
});
