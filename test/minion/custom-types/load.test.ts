import { readFileSync } from 'node:fs';
import test from 'ava';
import { renderProblems } from '../../../language/problem.ts';
import { badExamples } from '../../../minion/custom-types/examples.ts';
import { loadCustomTypes, stateTypesOf } from '../../../minion/custom-types/load.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { converge } from '../../../minion/engine/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import { compileTree, treeOf } from '../../helpers/tree.ts';

const FIXTURES = 'test/state-types/_types';
const SAMPLE = {
  'states/_types/motd.ts': readFileSync(`${FIXTURES}/motd.ts`, 'utf8'),
  'states/_types/lib/motd.ts': readFileSync(`${FIXTURES}/lib/motd.ts`, 'utf8'),
  'states/_types/conductor.d.ts': 'this is not looked at',
};

/** What is said about a tree with this one file of types. */
async function told(text: string, path = 'states/_types/one.ts'): Promise<string> {
  const { types, problems } = await loadCustomTypes(treeOf({ [path]: text }), stateTypes);
  return problems.length === 0
    ? types.map(({ type }) => type.name).join(', ')
    : renderProblems(problems);
}

/** A definition that is right but for what is given. */
function definition(parts: Readonly<Record<string, string>>): string {
  const all = {
    name: "'my.type'",
    schema:
      "z.strictObject({ name: z.string().describe('What it is') }).describe('A paragraph for the manual of it.')",
    example: "'x:\\n  my.type: []\\n'",
    read: 'async () => null',
    want: '() => null',
    apply: 'async () => {}',
    ...parts,
  };
  const body = Object.entries(all).map(([key, value]) => `  ${key}: ${value},\n`);
  return `import { defineState, z } from 'conductor';\n\nexport const mine = defineState({\n${body.join('')}});\n`;
}

test('a tree without state types of its own has those that come with Conductor', async (t) => {
  t.is(await stateTypesOf(treeOf({ 'states/one.yaml': '' }), stateTypes), stateTypes);
});

test('a state type of the tree obeys what all obey', async (t) => {
  const states = await stateTypesOf(treeOf(SAMPLE), stateTypes);
  t.is(states.size, stateTypes.size + 2);
  const compileOne = (text: string) =>
    compileTree(
      { ...SAMPLE, 'states/web.yaml': `Welcome:\n  motd.present: {text: ${text}}\n` },
      { states },
    ).declarations;
  const [declaration] = compileOne('hello');
  const type = states.get('motd.present');
  if (declaration === undefined || type === undefined) throw new Error('it is not there');
  const host = fakeHost({ files: { '/etc/motd': 'Debian\nWelcome: stranger\n' } });

  const planned = await converge(type, declaration.args, host, { dryRun: true });
  const change = { action: 'update', from: { text: 'stranger' }, to: { text: 'hello' } };
  t.deepEqual(planned, { status: 'would-change', change, reaction: null });
  t.is(host.text('/etc/motd'), 'Debian\nWelcome: stranger\n');
  const made = await converge(type, declaration.args, host, { dryRun: false });
  t.deepEqual(made, { status: 'changed', change, reaction: null });
  t.is(host.text('/etc/motd'), 'Debian\nWelcome: hello\n');
  const again = await converge(type, declaration.args, host, { dryRun: false });
  t.deepEqual(again, { status: 'unchanged' });

  const refused = await t.throwsAsync(
    converge(type, { name: 'Welcome', text: 'nothing' }, host, { dryRun: false }),
  );
  t.true(refused instanceof ConductorError && refused.code === 'STATE_REFUSED');
  const error = t.throws(() => compileOne('hello!'));
  t.regex(error.message, /^states\/web.yaml:2:24: "text" of motd\.present must not shout/);
});

test('the code of a state type that fails is told with its place', async (t) => {
  const file = definition({ read: 'async ({ name }) => name.nothing.at.all' });
  const states = await stateTypesOf(treeOf({ 'states/_types/one.ts': file }), stateTypes);
  const type = states.get('my.type');
  if (type === undefined) throw new Error('it is not there');
  const error = await t.throwsAsync(converge(type, { name: 'x' }, fakeHost({}), { dryRun: true }), {
    instanceOf: ConductorError,
  });
  t.is(error.code, 'CUSTOM_TYPE_FAILED');
  t.is(
    error.message,
    "Cannot converge my.type: states/_types/one.ts:7:42: Cannot read properties of undefined (reading 'at')",
  );
});

test('what a state type gives is plain data', async (t) => {
  const file = definition({ read: 'async () => ({ since: new Date(0) })' });
  const states = await stateTypesOf(treeOf({ 'states/_types/one.ts': file }), stateTypes);
  const type = states.get('my.type');
  if (type === undefined) throw new Error('it is not there');
  const error = await t.throwsAsync(converge(type, { name: 'x' }, fakeHost({}), { dryRun: true }), {
    instanceOf: ConductorError,
  });
  t.regex(error.message, /^Cannot use what "read" of my\.type gives: /);
});

const BROKEN: Readonly<Record<string, readonly [text: string, said: string]>> = {
  'a syntax error': [
    'const a: number = ;\n',
    'states/_types/one.ts:1:19: syntax error: unexpected token\n    1 | const a: number = ;\n      |                   ^',
  ],
  'a name that is defined twice': [
    'const a: number = 1;\nconst b: string = "b", a = 2;\n',
    "states/_types/one.ts:2:24: syntax error: identifier 'a' has already been declared",
  ],
  'code that throws': [
    "import { z } from 'conductor';\n\nexport const it = z.nothing();\n",
    'states/_types/one.ts:3:21: this file cannot be loaded: z.nothing is not a function',
  ],
  'an import of a package': [
    "import { z } from 'conductor';\nimport _ from 'lodash';\nexport const x = _.y(z);\n",
    'states/_types/one.ts:2:15: "lodash" cannot be imported',
  ],
  'an import of what touches the host': [
    "import { readFileSync } from 'node:fs';\nexport const x = readFileSync('/etc/passwd');\n",
    '  help: what touches the host goes through the host that read, want and apply are given',
  ],
  'an import of a file that is not there': [
    "import { x } from './lib/gone.ts';\nexport const y = x;\n",
    'states/_types/one.ts:1:19: "./lib/gone.ts" cannot be imported',
  ],
  'a file that defines nothing': [
    'export const x = 1;\n',
    'states/_types/one.ts:1:1: this file defines no state type, and none imports it',
  ],
  'a misspelt part': [
    definition({ aply: 'async () => {}' }),
    'states/_types/one.ts:3:21: a state type has no "aply"\n    3 | export const mine = defineState({\n      |                     ^^^^^^^^^^^\n  help: did you mean "apply"?',
  ],
  'a missing part': [
    definition({ read: 'undefined' }),
    'states/_types/one.ts:3:21: "read" of a state type is missing',
  ],
  'a missing example': [
    definition({ example: 'undefined' }),
    'states/_types/one.ts:3:21: "example" of a state type is missing',
  ],
  'a part of the wrong kind': [
    definition({ read: '7' }),
    'states/_types/one.ts:3:21: "read" of a state type must be a function',
  ],
  'a name of no module': [
    definition({ name: "'mine'" }),
    '"name" of a state type must be "module.function" in small letters, such as motd.line',
  ],
  'a schema that takes anything': [
    definition({
      schema: "z.object({ name: z.string() }).describe('A paragraph for the manual of it.')",
    }),
    'the schema of "my.type" takes any argument',
  ],
  'no manual': [
    definition({ schema: "z.strictObject({ name: z.string().describe('What it is') })" }),
    'the schema of "my.type" has no description',
  ],
  'an argument that is not explained': [
    definition({
      schema: "z.strictObject({ name: z.string() }).describe('A paragraph for the manual of it.')",
    }),
    'the argument "name" of "my.type" is not explained',
  ],
  'a manual that is too short': [
    definition({
      schema: "z.strictObject({ name: z.string().describe('What it is') }).describe('A line.')",
    }),
    'the description of the schema of "my.type" is no sentence of 22 or more characters',
  ],
  'an explanation that is too short': [
    definition({
      schema:
        "z.strictObject({ name: z.string().describe('x') }).describe('A paragraph for the manual of it.')",
    }),
    'the description of the argument "name" of "my.type" has fewer than 6 characters',
  ],
  'an explanation with a period': [
    definition({
      schema:
        "z.strictObject({ name: z.string().describe('What it is.') }).describe('A paragraph for the manual of it.')",
    }),
    'the description of the argument "name" of "my.type" ends in a period',
  ],
  'the name of a type that comes with Conductor': [
    definition({ name: "'file.managed'", example: "'x:\\n  file.managed: []\\n'" }),
    'states/_types/one.ts:3:21: there is a state type "file.managed" already',
  ],
  'two types of one name': [
    definition({}) + definition({}).replace(/^.*\n/, '').replace('mine', 'other'),
    'help: the first one is at states/_types/one.ts:3:21',
  ],
  'a type that is not exported': [
    definition({}).replace('export const', 'const'),
    'states/_types/one.ts:3:14: this state type is defined and not exported',
  ],
  'an await of its own': [
    `await 1;\n${definition({})}`,
    '"await" can only stand in async functions',
  ],
};

for (const [what, [text, said]] of Object.entries(BROKEN)) {
  test(`tells of ${what} in a state type`, async (t) => {
    const found = await told(text);
    t.true(found.includes(said), found);
    await t.throwsAsync(stateTypesOf(treeOf({ 'states/_types/one.ts': text }), stateTypes), {
      code: 'TREE_INVALID',
    });
  });
}

test('plain JavaScript will do, and what is right is taken', async (t) => {
  t.is(await told(definition({}), 'states/_types/one.js'), 'my.type');
  t.regex(
    await told('', 'states/_types/one.yaml'),
    /^states\/_types\/one\.yaml:1:1: .* is for state types\n/,
  );
});

test('the state type of the manual is one', async (t) => {
  const page = readFileSync('docs/custom-types.md', 'utf8');
  const [, code = ''] = /^```ts\n(.*?)^```$/ms.exec(page) ?? [];
  const tree = treeOf({ 'states/_types/motd.ts': code });
  const states = await stateTypesOf(tree, stateTypes);
  const [, text = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  const { declarations } = compileTree({ 'states/web.yaml': text }, { states });
  t.deepEqual(
    declarations.map(({ type }) => type),
    ['motd.present'],
  );
});

test('an example of the manual that does not compile is told at its type', async (t) => {
  const path = 'states/_types/one.ts';
  const examples = async (example: string) => {
    const tree = treeOf({ [path]: definition({ example }) });
    const { types } = await loadCustomTypes(tree, stateTypes);
    const states = new Map([...stateTypes, ...types.map(({ type }) => [type.name, type] as const)]);
    return renderProblems(badExamples(tree, types, states));
  };
  t.is(await examples("'x:\\n  my.type: []\\n'"), '0 problems');
  const broken = await examples("'x:\\n  my.type: {nmae: y}\\n'");
  t.regex(broken, /states\/_types\/one\.ts:\d+:\d+: the example of "my\.type" does not compile/u);
  t.regex(broken, /nmae/u);
});
