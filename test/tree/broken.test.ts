import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { compile } from '../../language/compile.ts';
import { lint } from '../../language/lint.ts';
import { compilePillar } from '../../language/pillar.ts';
import { readDirectory } from '../../language/source.ts';
import { stateTypesOf } from '../../minion/custom-types/load.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { ConductorError } from '../../shared/errors.ts';

/**
 * Each folder below `broken/` is a tree with one mistake, and `expect.txt` beside it is the whole of
 * what is said about it: place, message, help, and what led there.
 */
const FOLDER = 'test/tree/broken';

const minion = { id: 'web1', groups: ['web'] };

function unseal(): never {
  const message = 'Cannot open sealed value: it was not sealed to this master';
  throw new ConductorError('SEALED_VALUE', message);
}

function allocatePort(): number {
  return 8000;
}

async function compileTree(name: string): Promise<never> {
  const tree = await readDirectory(join(FOLDER, name, 'tree'));
  const pillar = compilePillar({ tree, minion, unseal });
  const catalog = compile({
    tree,
    minion,
    facts: { os: 'Debian' },
    pillar: pillar.value,
    origins: pillar.origins,
    states: await stateTypesOf(tree, stateTypes),
    stateFiles: [],
    params: {},
    allocatePort,
  });
  throw new Error(`${name} compiles, to ${catalog.declarations.length} declarations`);
}

const names = readdirSync(FOLDER).toSorted();

for (const name of names) {
  test(`tells of ${name.slice(3).replaceAll('-', ' ')}`, async (t) => {
    const error = await t.throwsAsync(compileTree(name), { instanceOf: ConductorError });
    const expected = readFileSync(join(FOLDER, name, 'expect.txt'), 'utf8');
    t.is(error.code, 'TREE_INVALID');
    t.is(`${error.message}\n`, expected);
  });
}

test('there are more than forty broken trees', (t) => {
  t.true(names.length > 40);
});

/** What depends on values, or on several files together, is seen only for a minion. */
const ONLY_FOR_A_MINION =
  /^(?:01|11|12|13|14|15|45|54|55|56|60|61|62|63|64|66|67|68|69|72|73|74|86|87|90|91|92|93|94|95)-/u;

for (const name of names) {
  if (ONLY_FOR_A_MINION.test(name)) continue;
  test(`lint finds ${name.slice(3).replaceAll('-', ' ')} without a minion`, async (t) => {
    const tree = await readDirectory(join(FOLDER, name, 'tree'));
    const expected = readFileSync(join(FOLDER, name, 'expect.txt'), 'utf8');
    const found = lint(tree, await stateTypesOf(tree, stateTypes));
    const messages = found.map(({ place, message }) => {
      return `${place.file}:${place.line}:${place.column}: ${message}`;
    });
    t.true(messages.some((message) => expected.includes(`${message}\n`)));
  });
}
