import { readFileSync } from 'node:fs';
import test from 'ava';
import { renderProblems } from '../../language/problem.ts';
import { describedTypes, lintTree, schemasOf } from '../../master/custom-types.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { compileTree, treeOf } from '../helpers/tree.ts';

const TYPES = 'test/state-types/_types';
const FILES = {
  'states/top.yaml': 'base:\n  "*": [web]\n',
  'states/web.yaml': 'Welcome:\n  motd.present:\n    text: hello\n',
  'states/_types/motd.ts': readFileSync(`${TYPES}/motd.ts`, 'utf8'),
  'states/_types/lib/motd.ts': readFileSync(`${TYPES}/lib/motd.ts`, 'utf8'),
};

async function mistakes(more: Readonly<Record<string, string>>): Promise<string> {
  return renderProblems(await lintTree(treeOf({ ...FILES, ...more }), stateTypes));
}

test('a tree with state types of its own has no mistake', async (t) => {
  t.deepEqual(await lintTree(treeOf(FILES), stateTypes), []);
});

test('what the code of a state type checks is found when the tree is linted', async (t) => {
  const found = await mistakes({
    'states/web.yaml': 'Welcome:\n  motd.present:\n    text: hello!\n',
  });
  t.regex(
    found,
    /^states\/web\.yaml:3:11: "text" of motd\.present must not shout, got the text "hello!"\n/,
  );
});

test('an example that does not compile is a mistake', async (t) => {
  const example = FILES['states/_types/motd.ts'].replace('text: this host', 'txt: this host');
  const found = await mistakes({ 'states/_types/motd.ts': example });
  t.regex(
    found,
    /^states\/_types\/motd\.ts:33:28: the example of "motd\.present" does not compile/,
  );
});

test('code that ends its process, or asks for what is not its own, is told as a mistake of the tree', async (t) => {
  const ended = await mistakes({ 'states/_types/motd.ts': 'process.exit(3);\n' });
  t.regex(
    ended,
    /^states\/_types\/lib\/motd\.ts:1:1: .* cannot be looked at: their process ended with 3/,
  );
  const curious = `const fs = process.binding('fs');\n${FILES['states/_types/motd.ts']}`;
  const refused = await mistakes({ 'states/_types/motd.ts': curious });
  t.regex(refused, /^states\/_types\/motd\.ts:1:\d+: this file cannot be loaded: /);
});

test('mistakes in the code of state types hide no other mistake of the tree', async (t) => {
  const states = {
    'states/web.yaml': 'Welcome:\n  motd.present:\n    text: hello\n/etc/x:\n  file.managd: {}\n',
  };
  for (const code of ['process.exit(3);\n', 'export const wrong: = 1;\n']) {
    const found = await mistakes({ ...states, 'states/_types/motd.ts': code });
    t.regex(found, /^states\/_types\//m);
    t.regex(found, /^states\/web\.yaml:5:3: unknown state type "file\.managd"/m);
    t.notRegex(found, /motd\.present/);
  }
});

test('the master knows the arguments of a state type whose code it does not run', async (t) => {
  const tree = treeOf(FILES);
  const states = await schemasOf(tree, stateTypes);
  t.is(states.size, stateTypes.size + 2);
  const { declarations } = compileTree(FILES, { states });
  t.deepEqual(
    declarations.map(({ args }) => args),
    [{ name: 'Welcome', text: 'hello' }],
  );
  const unknown = { ...FILES, 'states/web.yaml': 'Welcome:\n  motd.present: {text: a, tet: b}\n' };
  const error = t.throws(() => compileTree(unknown, { states }));
  t.regex(error.message, /unknown argument "tet" of motd\.present[^]*did you mean "text"/);
  const [described] = await describedTypes(tree);
  t.is(described?.name, 'motd.present');
  t.regex(described?.example ?? '', /motd\.present:/);
});
