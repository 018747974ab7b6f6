import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import { Secret } from '../../shared/secret.ts';
import {
  conceal,
  containsSecret,
  describe,
  reveal,
  secretTexts,
} from '../../language/values/data.ts';
import type { Data } from '../../language/values/data.ts';
import { evaluateParts } from '../../language/expressions/evaluate.ts';
import { evaluateNode, isDynamic } from '../../language/expression.ts';
import { HelperMistake, text as textArgument } from '../../language/expressions/helper.ts';
import { CHOICE_HELPERS } from '../../language/expressions/helpers-choice.ts';
import { TEXT_HELPERS } from '../../language/expressions/helpers-text.ts';
import { VALUE_HELPERS } from '../../language/expressions/helpers-value.ts';
import { HELPERS } from '../../language/expressions/helpers.ts';
import { hint } from '../../language/values/hint.ts';
import { lookup } from '../../language/values/lookup.ts';
import { dataOf, lift } from '../../language/values/node.ts';
import { showPlace } from '../../language/place.ts';
import { collectProblems, Mistake } from '../../language/problem.ts';
import { rootFrame, workshop } from '../../language/expressions/scope.ts';
import { readParts } from '../../language/expressions/syntax-parts.ts';
import { SpotMistake } from '../../language/expressions/syntax-tree.ts';
import { parseSyntax } from '../../language/expressions/syntax.ts';
import { readTemplate, renderTemplate } from '../../language/template.ts';
import { ConductorError } from '../../shared/errors.ts';
import { parseYaml } from '../../language/yaml.ts';

const names: Readonly<Record<string, Data>> = {
  pillar: {
    web: { port: 80, hosts: ['a', 'b'], empty: [], nothing: null, on: true },
    password: new Secret('hunter22'),
    database: { host: 'db1', password: new Secret('correct horse') },
  },
  minion: { id: 'web1', groups: ['web'] },
};

function open() {
  const problems = collectProblems({ read: () => null });
  return workshop(problems, (name) => 8000 + name.length);
}

function evaluate(text: string): Data {
  const frame = rootFrame(new Map(Object.entries(names)), { isOpen: false });
  return evaluateParts(parseSyntax(text), frame, open());
}

function mistake(text: string): string {
  try {
    return `no mistake: ${describe(evaluate(text))}`;
  } catch (error) {
    if (!(error instanceof SpotMistake)) throw error;
    const { spot, message, help } = error;
    return `${spot.line}:${spot.column} ${message}${help === null ? '' : ` (${help})`}`;
  }
}

function render(template: string, more: Readonly<Record<string, Data>> = {}): string {
  const all = new Map(Object.entries({ ...names, ...more }));
  const tools = { names: all, workshop: open() };
  const file = renderTemplate('templates/t.hbs', Buffer.from(template), tools);
  return Buffer.from(file.read()).toString();
}

for (const [name, helper] of Object.entries(HELPERS)) {
  test(`the example of "${name}" gives what it says`, (t) => {
    const [expression, gives] = helper.example;
    const world = { ...open(), allocatePort: () => 8000 };
    const frame = rootFrame(new Map(Object.entries(names)), { isOpen: false });
    const value = evaluateParts(parseSyntax(`{{${expression}}}`), frame, world);
    t.is(JSON.stringify(value), gives);
    t.true(helper.usage.startsWith(name) && helper.says.endsWith('.'));
  });
}

test('the helpers are a closed list', (t) => {
  const closed =
    'default eq ne lt gt and or not in concat join split lower upper replace slug json yaml base64 sha256 length keys values get range indent shellquote port';
  t.deepEqual(Object.keys(HELPERS).toSorted(), closed.split(' ').toSorted());
  const parts = [CHOICE_HELPERS, TEXT_HELPERS, VALUE_HELPERS].flatMap((part) => Object.keys(part));
  t.is(parts.length, Object.keys(HELPERS).length);
});

test('a text that is exactly one expression keeps its type', (t) => {
  t.is(evaluate('{{ pillar.web.port }}'), 80);
  t.deepEqual(evaluate('{{pillar.web.hosts}}'), ['a', 'b']);
  t.is(evaluate('{{ pillar.web.on }}'), true);
  t.is(evaluate('{{null}}'), null);
  t.is(evaluate(' {{ pillar.web.port }}'), ' 80');
  t.is(evaluate('{{pillar.web.port}}{{pillar.web.port}}'), '8080');
});

test('items of lists are named by their number', (t) => {
  t.is(evaluate('{{ pillar.web.hosts.[1] }}'), 'b');
  t.regex(mistake('{{ pillar.web.hosts.[2] }}'), /is a list, so it has no "2"/u);
});

test('two braces can be written', (t) => {
  t.is(evaluate(String.raw`docker ps --format '\{{.Names}}'`), "docker ps --format '{{.Names}}'");
});

for (const [text, expected] of [
  ['{{ pilar.web }}', '1:3 "pilar" is not defined (did you mean "pillar"?)'],
  ['x\n{{ pillar.web.prt }}', '2:14 "pillar.web" has no "prt" (did you mean "port"?)'],
  ['{{ pillar.web.port.x }}', '1:19 "pillar.web.port" is the number 80, so it has no "x"'],
  ['{{ pillar.password.x }}', '1:19 "pillar.password" is a secret, so it has no "x"'],
  ['{{ uper "a" }}', '1:3 unknown helper "uper" (did you mean "upper"?)'],
  ['{{ json pillar.web indent=2 }}', '1:19 helpers take no "name=value" arguments'],
  ['{{ upper 5 6 }}', '1:3 "upper" got 2 values (write {{upper TEXT}})'],
  ['{{ upper pillar.web.hosts }}', '1:3 "upper" expected a text, got a list'],
  ['{{> partial }}', '1:0 partials and decorators are not understood'],
  ['{{#if a}}x', '1:3 "{{#if}}" is not closed'],
  ['{{#if a}}x{{/each}}', '1:3 "{{#if}}" is closed by "{{/each}}"'],
  ['{{#loop a}}x{{/loop}}', '1:3 unknown block "#loop" (blocks are #if #unless #each #with)'],
  ['{{#if a b}}x{{/if}}', '1:3 "#if" takes one value (put a call in parentheses)'],
  ['{{#if a as |b|}}x{{/if}}', '1:3 "#if" binds at most 0 names'],
  ['{{ undefined }}', '1:3 "undefined" is no value (write null)'],
  [
    'x {{ pillar.web.nothing }}',
    '1:5 nothing (null) cannot stand within a text (write {{default … ""}})',
  ],
  ['{{ ../x }}', '1:3 "../x" leads outside'],
  ['{{ "literal" "x" }}', '1:3 a helper has a name'],
  ['{{ @index }}', '1:3 "@index" is not defined (defined here are pillar, minion)'],
  [
    '{{ facts.os }}',
    '1:3 "facts" is not defined (facts come from the minion, which may lie: no pillar may depend on them)',
  ],
] as const) {
  test(`${JSON.stringify(text)} is refused at its place`, (t) => {
    t.is(mistake(text), expected);
  });
}

test("JavaScript's own properties cannot be reached", (t) => {
  for (const path of [
    'constructor',
    'pillar.constructor',
    'pillar.__proto__',
    'pillar.toString',
    'minion.id.length',
  ]) {
    t.regex(mistake(`{{ ${path} }}`), /is not defined|has no|so it has no/u, path);
  }
  t.regex(mistake('{{ get pillar "__proto__.x" }}'), /there is no/u);
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    t.regex(mistake(`{{ ${name} pillar }}`), /unknown helper/u);
  }
});

test('default takes what is there, and is silent only about what is not', (t) => {
  t.is(evaluate('{{ default pillar.web.prt 8000 }}'), 8000);
  t.is(evaluate('{{ default pillar.nothing.at.all pillar.web.port }}'), 80);
  t.is(evaluate('{{ default pillar.web.nothing "x" }}'), 'x');
  t.is(evaluate('{{ default pillar.web.port pillar.nowhere }}'), 80);
  t.regex(mistake('{{ default piller.web 1 }}'), /"piller" is not defined/u);
  t.regex(mistake('{{ default pillar.a pillar.b }}'), /has no "b"/u);
});

test('and, or and not look no further than they need', (t) => {
  t.is(evaluate('{{ or pillar.web.port pillar.nowhere }}'), 80);
  t.is(evaluate('{{ and pillar.web.nothing pillar.nowhere }}'), null);
  t.is(evaluate('{{ not pillar.web.empty }}'), true);
  t.is(evaluate('{{ or pillar.web.nothing "" 0 }}'), 0);
});

test('what is computed from a secret is secret', (t) => {
  for (const text of [
    '{{ pillar.password }}',
    'x{{ pillar.password }}',
    '{{ upper pillar.password }}',
    '{{ json pillar.database }}',
    '{{ base64 (concat "user:" pillar.password) }}',
    '{{#each pillar.database}}{{this}} {{/each}}',
    '{{#if true}}{{pillar.password}}{{/if}}',
    '{{ get pillar "database.password" }}',
  ]) {
    t.true(evaluate(text) instanceof Secret, text);
  }
});

test('a text is not moved to the left, or for ever to the right', (t) => {
  for (const text of ['{{ indent "a" -1 }}', '{{ indent "a" 1000000000 }}'])
    t.throws(() => evaluate(text), { message: /expected 0 to 100 spaces/u });
});

test('a helper that cannot take a secret does not tell what it holds', (t) => {
  for (const text of ['{{ join pillar.password "," }}', '{{ lt pillar.password 5 }}']) {
    const error = t.throws(() => evaluate(text), { instanceOf: Error });
    t.notRegex(error.message, /hunter/u, text);
    t.regex(error.message, /one of which is a secret/u);
  }
});

test('what is only beside a secret is none', (t) => {
  t.is(evaluate('{{ pillar.database.host }}'), 'db1');
  t.is(evaluate('{{ get pillar "database.host" }}'), 'db1');
  t.is(evaluate('{{ length pillar.password }}'), 8);
  t.is(evaluate('{{ eq pillar.password "hunter22" }}'), true);
});

test('results of helpers on secrets are remembered, texts that hold one are not', (t) => {
  const world = open();
  const frame = rootFrame(new Map(Object.entries(names)), { isOpen: false });
  evaluateParts(parseSyntax('pw={{ upper pillar.password }}'), frame, world);
  t.deepEqual([...world.secrets], ['HUNTER22']);
});

test('secrets can be revealed, concealed and listed', (t) => {
  const data = { a: [new Secret('x'), 1], b: 'y' };
  t.true(containsSecret(data));
  t.deepEqual(reveal(data), { a: ['x', 1], b: 'y' });
  t.deepEqual(secretTexts(conceal({ c: ['z', 5] })), ['z']);
  t.is(describe(new Secret('x')), 'a secret');
});

test('templates loop, choose and bind', (t) => {
  const template = [
    'server {',
    '{{#each pillar.web.hosts as |host index|}}',
    '  {{index}}{{#unless @first}},{{/unless}} {{host}} {{minion.id}}{{#if @last}};{{/if}}',
    '{{/each}}',
    '{{#each pillar.web.empty}}x{{else}}none{{/each}}',
    '{{#with pillar.database as |db|}}{{db.host}} {{host}} {{../minion.id}}{{/with}}',
    '{{#if pillar.web.nothing}}a{{else if pillar.web.on}}b{{else}}c{{/if}}',
    '}',
  ].join('\n');
  t.is(render(template), 'server {\n  0 a web1\n  1, b web1;\nnone\ndb1 db1 web1\nb\n}');
});

test('a mapping loops over its keys and values', (t) => {
  const sites = { one: { port: 1 }, two: { port: 2 } };
  t.is(render('{{#each sites}}{{@key}}={{port}} {{/each}}', { sites }), 'one=1 two=2 ');
  t.is(render('{{#each sites as |s k|}}{{k}}={{s.port}} {{/each}}', { sites }), 'one=1 two=2 ');
});

test('nested loops name the outer items', (t) => {
  const rows = [{ name: 'r', cells: [{ x: 1 }, { x: 2 }] }];
  const template =
    '{{#each rows}}{{#each cells}}{{../name}}{{name}}{{this.x}} {{@root.minion.id}} {{/each}}{{/each}}';
  t.is(render(template, { rows }), 'rr1 web1 rr2 web1 ');
});

test('values are never escaped', (t) => {
  t.is(render('{{x}} {{{x}}}', { x: '<a & "b">' }), '<a & "b"> <a & "b">');
});

test('a template tells its own line', (t) => {
  const error = t.throws(() => render('a\nb {{ domian }}\n', { domain: 'x' }), {
    instanceOf: Mistake,
  });
  t.is(`${showPlace(error.place)} ${error.message}`, 'templates/t.hbs:2:6 "domian" is not defined');
  t.is(error.help, 'did you mean "domain"?');
  const bytes = Buffer.from([0xff]);
  t.throws(() => readTemplate('t.hbs', bytes, open()), {
    message: 'the template is not UTF-8 text',
  });
});

test('an open frame lets default name what a template was not given', (t) => {
  t.is(render('{{ default domain "none" }}'), 'none');
});

test('ports come from outside, one for each name', (t) => {
  t.is(evaluate('{{ port "web" }}'), 8003);
  t.regex(mistake('{{ port pillar.web }}'), /a port has a name, got a mapping/u);
  const broken = {
    ...open(),
    allocatePort: () => {
      throw new ConductorError('STATE_REFUSED', 'no port is left');
    },
  };
  const frame = rootFrame(new Map(), { isOpen: false });
  t.throws(() => evaluateParts(parseSyntax('{{ port "x" }}'), frame, broken), {
    message: '"port" no port is left',
  });
});

test('expressions in keys and values are computed, and nothing else changes', (t) => {
  const text = 'plain: [1, x]\n"{{ minion.id }} key": "{{ pillar.web.hosts }}"\n';
  const world = open();
  const node = parseYaml('a.yaml', Buffer.from(text), world.problems);
  const scope = { names: new Map(Object.entries(names)), chain: [] };
  t.true(node !== null && isDynamic(node));
  if (node === null) return;
  t.deepEqual(dataOf(evaluateNode(node, scope, world)), {
    plain: [1, 'x'],
    'web1 key': ['a', 'b'],
  });
});

test('no value can add a key, an item or a document', (t) => {
  const text = 'a: "{{ value }}"\nb: ["{{ value }}", "x{{ value }}"]\nc: |\n  {{ value }}\n';
  const world = open();
  const node = parseYaml('a.yaml', Buffer.from(text), world.problems);
  if (node === null) throw new Error('no node');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const scope = { names: new Map([['value', value]]), chain: [] };
      const computed = dataOf(evaluateNode(node, scope, world));
      t.deepEqual(computed, { a: value, b: [value, `x${value}`], c: `${value}\n` });
    }),
  );
});

test('a computed key is held to the rules of written ones', (t) => {
  for (const value of ['__proto__', '', null, ['x']]) {
    const world = open();
    const scope = { names: new Map<string, Data>([['value', value]]), chain: [] };
    const node = parseYaml('a.yaml', Buffer.from('"{{ value }}": 1'), world.problems);
    if (node !== null) evaluateNode(node, scope, world);
    t.regex(world.problems.list()[0]?.message ?? '', /a key must be a text/u);
  }
});

test('reading and computing fail only with a SpotMistake', (t) => {
  const pieces = fc.constantFrom(
    '{{',
    '}}',
    '#if ',
    '/if',
    'pillar',
    '.',
    ' ',
    '"',
    'x',
    '(',
    ')',
    '\n',
    '~',
    '=',
    '|',
    '@',
    '}',
    '{',
    'else',
    '!--',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      t.regex(mistake(parts.join('')), /^\d+:\d+ |^no mistake/u);
    }),
    { numRuns: 1000 },
  );
});

test('shell words survive a shell', (t) => {
  t.is(evaluate(`{{ shellquote "a'b $c" }}`), `'a'\\''b $c'`);
  t.is(evaluate('{{ shellquote pillar.web.hosts }}'), "'a' 'b'");
});

test('range is bounded', (t) => {
  t.deepEqual(evaluate('{{ range 2 4 }}'), [2, 3]);
  t.regex(mistake('{{ range 1000000 }}'), /more than 10000 numbers/u);
});

test('small parts say what they are asked', (t) => {
  t.is(hint('nginks', ['nginx'], null), 'did you mean "nginx"?');
  t.is(hint('zzz', ['nginx'], 'nothing near'), 'nothing near');
  t.throws(() => textArgument([]), { instanceOf: HelperMistake });
  t.deepEqual(
    readParts({
      type: 'Program',
      body: [],
      blockParams: [],
      loc: { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } },
    }),
    [],
  );
  const path = {
    kind: 'path',
    spot: { line: 1, column: 0 },
    original: 'a',
    up: 0,
    isLoopName: false,
    isThis: false,
    parts: ['a'],
  } as const;
  t.is(lookup(path, rootFrame(new Map([['a', 5]]), { isOpen: false })), 5);
  t.is(dataOf(lift(5, { file: 'a', line: 1, column: 1 })), 5);
});

test('what would take too long to read is refused at its place', (t) => {
  const long = t.throws(() => parseSyntax(`\n {{ a${'.b'.repeat(5000)} }}`));
  t.like(long, { message: 'this expression does not end within 8192 characters' });
  t.like(long, { spot: { line: 2, column: 1 } });
  t.throws(() => parseSyntax(`{{ a ${'x '.repeat(500_000)}`), { message: /does not end within/u });
  t.throws(() => parseSyntax('{{a}}'.repeat(10_001)), { message: /more than 10000 expressions/u });
  t.is(parseSyntax(`{{!-- ${'x'.repeat(20_000)} --}}a{{b}}`).length, 2);
  t.is(parseSyntax(String.raw`\{{ ${'x'.repeat(20_000)}`).length, 1);
});
