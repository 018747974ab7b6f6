import test from 'ava';
import { insteadOf } from '../../language/states/instead.ts';
import { lint } from '../../language/lint.ts';
import { shareOf } from '../../language/share.ts';
import { readTop, topIn } from '../../language/top.ts';
import { collectProblems } from '../../language/problem.ts';
import { findJinja, jinjaHelp } from '../../language/values/jinja.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import {
  compileText,
  compileTree,
  problemsOf,
  toldBy,
  treeOf,
  type World,
} from '../helpers/tree.ts';

const salt: World = { states: stateTypes };

/** Compiles one file of Salt's. */
function compileSls(text: string, more: Readonly<Record<string, string>> = {}) {
  return compileTree({ 'states/web.sls': text, ...more }, salt);
}

function sls(...lines: readonly string[]): string {
  return [...lines, ''].join('\n');
}

function argumentsOf(text: string): unknown[] {
  return compileSls(text).declarations.map(({ args }) => args);
}

test("a file of Salt's knows the words of YAML 1.1 and merge keys, one of ours does not", (t) => {
  const text = sls(
    'nginx:',
    '  service.running: &common',
    '    enable: yes',
    'redis:',
    '  service.running:',
    '    <<: *common',
    'memcached:',
    '  service.running:',
    '    <<: [*common, {reload: On}]',
    '    enable: off',
  );
  const [nginx, redis, memcached] = argumentsOf(text);
  t.like(nginx, { name: 'nginx', enable: true });
  t.like(redis, { name: 'redis', enable: true });
  t.like(memcached, { name: 'memcached', enable: false, reload: true });
  t.deepEqual(
    toldBy(() => compileTree({ 'states/web.yaml': 'a: {service.running: {enable: yes}}' }, salt)),
    ['states/web.yaml:1:31 "enable" of service.running must be true or false, got the text "yes"'],
  );
  t.deepEqual(
    toldBy(() => compileSls('a:\n  service.running:\n    <<: text\n')),
    ['states/web.sls:3:9 "<<" merges mappings, got the text "text"'],
  );
});

test('Jinja is told once, with its line and what to write instead', (t) => {
  const text = sls(
    '# {% if this %} is a comment',
    '{% set port = 80 %}',
    '{% if grains.os == "Debian" %}',
    'nginx:',
    '  pkg.installed: []',
    '{% endif %}',
  );
  const [problem, second] = problemsOf(() => compileSls(text));
  t.is(second, undefined);
  t.like(problem, {
    place: { file: 'states/web.sls', line: 2, column: 1 },
    message: 'this is Jinja, which is not read here: YAML comes first, expressions after it',
    help: 'put the value into a pillar file, or give it with "params:"',
    sourceLine: '{% set port = 80 %}',
  });
});

for (const [line, help] of [
  ['{% if x %}', /when:/u],
  ['{%- for a in b -%}', /each:/u],
  ["{% from 'map.jinja' import nginx with context %}", /pillar file/u],
  ['{% macro x() %}', /params:/u],
  ['  {# a note #}', /comment begins/u],
  ['name: "{{ pillar[\'a\'] }}"', /\{\{ pillar\.a\.b \}\}/u],
  ["name: {{ pillar.get('a:b', 'c') }}", /default pillar\.a\.b/u],
  ['name: {{ grains.os }}', /facts\.os/u],
  ["name: {{ salt['cmd.run']('id') }}", /cannot be called/u],
  ['name: {{ name | upper }}', /\{\{ lower name \}\}/u],
  ['name: {{ f(1) }}', /cannot be called/u],
  ['{% endraw %}', /remove it/u],
] as const) {
  test(`what to write for ${line}`, (t) => {
    t.regex(jinjaHelp(line) ?? '', help);
    t.is(findJinja(`a: 1\n${line}\n`)?.offset, 5 + line.search(/\{[{%#]/u));
  });
}

for (const line of [
  'name: "{{ pillar.a.b }}"',
  'name: \'{{ default pillar.a "x|y[0](1)" }}\'',
  'name: "{{#each list as |item|}}{{ item }}{{/each}}"',
  'name: echo ${#list[@]} ${name%.*} $(printf "{%s}" 1)',
  "name: curl -w '%{http_code}' http://localhost/",
  '# {% raw %} {{ salt["x"]() }}',
]) {
  test(`is no Jinja: ${line}`, (t) => {
    t.is(findJinja(line), null);
  });
}

test('the contents of a file of ours may be Jinja, and another renderer is told', (t) => {
  const contents = 'x:\n  file.managed:\n    name: /x\n    contents: "{% if x %}"\n';
  t.notThrows(() => compileText(contents));
  t.deepEqual(
    toldBy(() => compileSls('#!py\nx: 1\n')),
    ['states/web.sls:1:1 the renderer "py" is not here'],
  );
  t.is(findJinja('#!jinja|yaml\na: {}\n'), null);
  const [broken] = problemsOf(() => compileText('{% if x %}\na: {test.nop: {}}\n'));
  t.regex(broken?.help ?? '', /when:/u);
});

test("a file of Salt's tree is found among the state files too", (t) => {
  const text = sls(
    '/etc/a.conf:',
    '  file.managed:',
    '    - source: salt://web/files/a.conf?saltenv=base',
  );
  const tree = { 'states/web.sls': text, 'states/web/files/a.conf': 'a\n' };
  const [declaration] = compileTree(tree, salt).declarations;
  t.like(declaration?.args, { source: { path: 'states/web/files/a.conf' } });
  const shared = shareOf(
    treeOf({ ...tree, 'states/top.sls': 'base: {"*": [web]}\n', 'states/other.sls': '' }),
    { id: 'web1', groups: [] },
    {},
    [],
  );
  t.deepEqual(
    shared.map(({ path }) => path),
    ['states/top.sls', 'states/web.sls', 'states/web/files/a.conf'],
  );
});

test("Salt's top file is read, with its matchers", (t) => {
  const top = sls(
    'base:',
    "  '*': [common]",
    "  'os:Debian': [{match: grain}, debian]",
    "  'web1,web2':",
    '    - match: list',
    '    - web',
    "  'web.*': [{match: pcre}, web]",
    "  'x': [{match: range}, web]",
  );
  const tree = treeOf({ 'states/top.sls': top });
  const problems = collectProblems(tree);
  t.is(topIn(tree, 'states'), 'states/top.sls');
  t.deepEqual(
    readTop(tree, 'states', problems)?.map(({ target, files }) => [target.kind, files[0]?.name]),
    [
      ['glob', 'common'],
      ['facts', 'debian'],
      ['list', 'web'],
      ['regex', 'web'],
    ],
  );
  t.deepEqual(
    problems.list().map(({ message }) => message),
    ['"match" cannot be the text "range"'],
  );
});

test('what Salt asks for beyond the state is taken where it is harmless, and else refused', (t) => {
  const text = sls(
    'curl:',
    '  pkg.installed:',
    '    - aggregate: True',
    '    - parallel: True',
    '    - reload_modules: True',
    '    - retry: {attempts: 3, until: True, interval: 5}',
  );
  t.is(compileSls(text).declarations[0]?.retry?.attempts, 3);
  t.deepEqual(
    toldBy(() =>
      compileSls(
        sls(
          'curl:',
          '  pkg.installed:',
          '    - fire_event: True',
          '    - retry: {until: False}',
          '    - unless:',
          '      - fun: file.file_exists',
          '        path: /x',
        ),
      ),
    ),
    [
      'states/web.sls:3:19 "fire_event" of pkg.installed cannot be: every outcome of a run is an event on the master already (remove it), got true',
      'states/web.sls:4:22 "retry.until" of pkg.installed must be true, got false',
      'states/web.sls:6:9 "unless.0" of pkg.installed must be a command line: functions such as "fun: file.search" cannot be called here, got a mapping',
    ],
  );
});

test('types of Salt that have no place here are told with what to write', (t) => {
  const [problem] = problemsOf(() => compileSls('x:\n  module.run:\n    - name: test.ping\n'));
  t.is(problem?.message, 'unknown state type "module.run"');
  t.regex(problem?.help ?? '', /cmd\.run/u);
  t.is(insteadOf('pkg.instaled'), null);
});

test('use_in gives arguments as use takes them', (t) => {
  const [, second] = argumentsOf(
    sls(
      '/etc/a:',
      '  file.managed:',
      '    - user: root',
      '    - mode: 600',
      '    - use_in:',
      '      - file: /etc/b',
      '/etc/b:',
      '  file.managed:',
      '    - mode: 644',
    ),
  );
  t.like(second, { name: '/etc/b', user: 'root', mode: '0644' });
});

/** Extends one module of nginx. */
function extending(module: string): string {
  return sls(
    'include: [.base.init]',
    'extend:',
    '  nginx:',
    `    ${module}:`,
    '      - enable: True',
    '      - require: [{pkg: wget}]',
    'wget: pkg.installed',
  );
}

test('an extension may name a module alone', (t) => {
  const included =
    'nginx:\n  service.running:\n    - require: [{pkg: curl}]\ncurl: pkg.installed\n';
  const catalog = compileSls(extending('service'), { 'states/base/init.sls': included });
  const nginx = catalog.declarations.find(({ id }) => id === 'nginx');
  t.like(nginx?.args, { enable: true });
  t.deepEqual(nginx?.requisites[0]?.targets, [
    'pkg.installed|curl|curl',
    'pkg.installed|wget|wget',
  ]);
  t.deepEqual(
    toldBy(() => compileSls(extending('file'), { 'states/base/init.sls': included })),
    ['states/web.sls:4:5 "extend" means the "file" of "nginx", which has none'],
  );
});

test('lint takes a file that a state names for what it is', (t) => {
  const tree = treeOf({
    'states/top.sls': 'base: {"*": [web]}\n',
    'states/web.sls': '/etc/a.yaml:\n  file.managed:\n    - source: salt://web/a.yaml\n',
    'states/web/a.yaml': 'no: [state\n',
    'states/web/b.yml': 'a: 1\n',
  });
  t.deepEqual(
    lint(tree, stateTypes).map(({ place, message }) => `${place.file} ${message}`),
    ['states/web/b.yml this file is not read'],
  );
});
