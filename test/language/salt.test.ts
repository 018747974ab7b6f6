import test from 'ava';
import { insteadOf, insteadOfArgument } from '../../language/states/instead.ts';
import { lint } from '../../language/lint.ts';
import { shareOf } from '../../language/share.ts';
import { matches } from '../../language/target.ts';
import { schemaKeys } from '../../language/states/schema-keys.ts';
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
    '    - fire_event: True',
    '    - saltenv: base',
    '    - retry: {attempts: 3, until: True, interval: 5}',
  );
  t.is(compileSls(text).declarations[0]?.retry?.attempts, 3);
  t.deepEqual(
    toldBy(() =>
      compileSls(
        sls(
          'curl:',
          '  pkg.installed:',
          '    - fire_event: deploy/done',
          '    - retry: {until: False}',
          '    - unless:',
          '      - fun: file.search',
          '        path: /x',
        ),
      ),
    ),
    [
      'states/web.sls:3:19 "fire_event" of pkg.installed cannot be a tag: every outcome of a run is an event on the master already (remove it), got the text "deploy/done"',
      'states/web.sls:4:22 "retry.until" of pkg.installed must be true, got false',
      'states/web.sls:6:9 "unless.0" of pkg.installed must be a command line, such as "grep -q WORD FILE": of functions, only simple ones of files, packages and services are read, in .sls files, got a mapping',
    ],
  );
});

test('types of Salt that have no place here are told with what to write', (t) => {
  const [problem] = problemsOf(() => compileSls('x:\n  module.run:\n    - name: test.ping\n'));
  t.is(problem?.message, 'unknown state type "module.run"');
  t.regex(problem?.help ?? '', /cmd\.run/u);
  t.is(insteadOf('pkg.instaled'), null);
});

test('nobody is told to write something else than a type or an argument that there is', (t) => {
  const told = [...stateTypes].flatMap(([type, { schema }]) => [
    ...(insteadOf(type) === null ? [] : [type]),
    ...[...schemaKeys(schema).keys()].flatMap((name) =>
      insteadOfArgument(type, name) === null ? [] : [`${type} ${name}`],
    ),
  ]);
  t.deepEqual(told, []);
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

test('a state file that the top file gives to somebody is no mere source, whoever names it as one', (t) => {
  const tree = treeOf({
    'states/top.yaml': 'base: {"*": [web]}\n',
    'states/web.yaml':
      'include: [db]\n/tmp/db:\n  file.managed: {source: salt://db.yaml}\n/tmp/web:\n  file.managed: {source: salt://web.yaml}\n',
    'states/db.yaml': '/etc/a:\n  file.manged: {contents: x}\n',
  });
  t.deepEqual(
    lint(tree, stateTypes).map(({ place, message }) => `${place.file}:${place.line} ${message}`),
    ['states/db.yaml:2 unknown state type "file.manged"'],
  );
});

test('of two top files none is taken in silence', (t) => {
  const tree = treeOf({
    'states/top.yaml': 'base: {"*": [web]}\n',
    'states/top.sls': 'base: {"*": [web]}\n',
    'states/web.sls': 'a: test.nop\n',
  });
  t.deepEqual(
    lint(tree, stateTypes).map(({ place, message }) => `${place.file} ${message}`),
    ['states/top.sls this tree has another top file: states/top.yaml'],
  );
});

function targetsOf(...lines: readonly string[]) {
  const tree = treeOf({ 'states/top.sls': sls('base:', ...lines) });
  const problems = collectProblems(tree);
  const targets = (readTop(tree, 'states', problems) ?? []).map(({ target }) => target);
  return { targets, told: problems.list().map(({ message }) => message) };
}

const WEB1 = {
  id: 'web1.example.org',
  groups: ['web'],
  facts: { os: 'Debian', codename: 'bookworm', release: '12', addresses: ['10.1.2.3'] },
  pillar: { role: ['Front', 'cache'], apps: { shop: {} }, a: { b: 'c' } },
};

for (const [compound, isMeant] of [
  ['G@os:Debian', true],
  ['G@os:debian and web*', true],
  ['G@oscodename:bookworm and not G@osmajorrelease:11', true],
  ['G@id:WEB1*', true],
  ['L@db1,web1.example.org', true],
  ['L@db1,db2 or E@web\\d', true],
  ['E@eb1', false],
  ['E@(web|db)\\d+', true],
  ['( L@db1 or N@web ) and S@10.0.0.0/8', true],
  ['(L@db1 or N@web) and S@10.1.2.3', true],
  ['S@10.1.2.4', false],
  ['P@os:(Debian|Ubuntu)', true],
  ['P@os:Deb', true],
  ['P@os:Deb$', false],
  ['P@os:^(?:Ubuntu|De.*)$', true],
  ['I@role:front', true],
  ['I@apps:shop', true],
  ['I@apps:*', true],
  ['I@a:b:c', true],
  ['J@role:(front|back)', true],
  ['not I@role:front', false],
] as const) {
  test(`in a top file of Salt's, "${compound}" ${isMeant ? 'means' : 'does not mean'} web1`, (t) => {
    const { targets, told } = targetsOf(`  '${compound}':`, '    - web');
    t.deepEqual(told, []);
    t.deepEqual(
      targets.map((target) => matches(target, WEB1)),
      [isMeant],
    );
  });
}

test("what cannot be said exactly of a target of Salt's is told, with what to write", (t) => {
  const { told } = targetsOf(
    '  "G@roles:web": [web]',
    '  "P@os:[DU].+": [web]',
    '  "R@%web": [web]',
    '  "G@os": [web]',
    '  "E@web(": [web]',
    '  "roles:web": [{match: grain}, web]',
  );
  const start = 'cannot read the target';
  const grain =
    'the grain "roles" is no fact here: make a group of these minions (`--group`), or write facts.KEY:GLOB';
  t.deepEqual(told, [
    `${start} "G@roles:web": ${grain}`,
    `${start} "P@os:[DU].+": the pattern "[DU].+" is no list of plain words: write globs, as in "facts.os:Debian or facts.os:Ubuntu"`,
    `${start} "R@%web": "R@" has no counterpart: write ids, groups, facts.KEY:GLOB or net:CIDR`,
    `${start} "G@os": the grain "" is no fact here: make a group of these minions (\`--group\`), or write facts.KEY:GLOB`,
    told[4],
    `${start} "roles:web": ${grain}`,
  ]);
  t.regex(told[4] ?? '', /Invalid regular expression: .*Unterminated group/u);
});

test('pillars of Salt go by ids and groups, in whatever words', (t) => {
  const tree = treeOf({
    'pillars/top.sls': sls(
      'base:',
      "  'E@web\\d+ or L@db1,db2': [secrets]",
      "  'web* and G@os:Debian': [secrets]",
    ),
  });
  const problems = collectProblems(tree);
  t.is(readTop(tree, 'pillars', problems)?.length, 1);
  t.regex(problems.list()[0]?.message ?? '', /asks for what the minion says of itself/u);
});

const TEMPLATED = sls(
  '/etc/x:',
  '  file.managed:',
  '    - source: salt://x',
  '    - template: jinja',
);

test('a source that says "template: jinja" and holds none is copied as it is', (t) => {
  const { declarations } = compileSls(TEMPLATED, { 'states/x': 'a = {b}\n' });
  t.like(declarations[0]?.args, { source: { path: 'states/x' } });
  const script = sls('salt://x:', '  cmd.script:', '    - template: jinja');
  t.is(compileSls(script, { 'states/x': 'echo\n' }).declarations.length, 1);
});

test('Jinja in a source that would be rendered is told, at its line', (t) => {
  const more = '    - context: {a: b}\n';
  const found = problemsOf(() => compileSls(TEMPLATED + more, { 'states/x': 'a\nb = {{ a }}\n' }));
  t.deepEqual(
    found.map(({ place, message }) => [place.file, place.line, place.column, message]),
    [['states/x', 2, 5, 'this is Jinja: templates are written in Handlebars here']],
  );
  t.regex(found[0]?.help ?? '', /template: handlebars/u);
  const folder = sls(
    '/srv/x:',
    '  file.recurse:',
    '    - source: salt://d',
    '    - template: jinja',
  );
  const below = problemsOf(() =>
    compileSls(folder, { 'states/d/a': 'a\n', 'states/d/b/c': '{% for x in y %}\n' }),
  );
  t.is(below[0]?.place.file, 'states/d/b/c');
  t.regex(below[0]?.help ?? '', /\{\{#each /u);
  const lintOf = lint(treeOf({ 'states/web.sls': TEMPLATED, 'states/x': '{{ a }}' }), stateTypes);
  t.is(lintOf[0]?.place.file, 'states/x');
});

test('Jinja that is left in a template is told, not copied', (t) => {
  const text = sls('/etc/x:', '  file.managed:', '    - source: salt://x.hbs');
  const rendered = (template: string) => compileSls(text, { 'templates/x.hbs': template });
  const [problem] = problemsOf(() => rendered('a\n  {%- if pillar.a %}\n'));
  t.deepEqual([problem?.place.line, problem?.place.column], [2, 3]);
  t.regex(problem?.help ?? '', /\{\{#if /u);
  t.regex(problemsOf(() => rendered('{# a note #}'))[0]?.help ?? '', /\{\{!--/u);
  t.regex(problemsOf(() => rendered('{% set a = 1 %}'))[0]?.help ?? '', /context:/u);
  const { declarations } = rendered('{{"{%"}} if x %} 100 {%} ${#list}\n');
  t.like(declarations[0]?.args, { source: { path: 'templates/x.hbs' } });
});

test("an argument of Salt's without a value is not given, and a list of no guards is none", (t) => {
  const [args] = argumentsOf(
    sls(
      'ls:',
      '  cmd.run:',
      '    - cwd: ~',
      '    - env:',
      '    - unless: []',
      '    - use_vt: False',
    ),
  );
  t.like(args, { name: 'ls', cwd: undefined, env: undefined });
});

test('where a text is wanted, true is what Python writes', (t) => {
  const [run, file] = argumentsOf(
    sls(
      'ls:',
      '  cmd.run:',
      '    - env: [DEBUG: True, EMPTY: no]',
      '/etc/x:',
      '  file.managed:',
      '    - contents: [yes, 1]',
    ),
  );
  t.like(run, { env: { DEBUG: 'True', EMPTY: 'False' } });
  t.like(file, { contents: ['True', '1'] });
});

test('simple functions in guards become commands', (t) => {
  const { declarations } = compileSls(
    sls(
      'ls:',
      '  cmd.run:',
      '    - unless:',
      '      - fun: file.file_exists',
      "        path: /it's",
      '      - {fun: file.contains, args: [/etc/x, a b]}',
      '    - onlyif: {fun: service.status, name: nginx}',
    ),
  );
  t.deepEqual(declarations[0]?.guards, {
    unless: [String.raw`test -f '/it'\''s'`, "grep -qsF -e 'a b' '/etc/x'"],
    onlyif: ["systemctl is-active --quiet 'nginx'"],
    creates: [],
  });
  const wrong = sls('ls:', '  cmd.run:', '    - onlyif: {fun: file.contains, path: /etc/x}');
  t.regex(toldBy(() => compileSls(wrong))[0] ?? '', /must be a command line, such as/u);
});

test('an include may name the one environment, and several files by a pattern', (t) => {
  const ids = compileSls(sls('include:', '  - base: lib.a', '  - lib.*', 'x:', '  test.nop'), {
    'states/lib/a.sls': 'a: test.nop\n',
    'states/lib/b.sls': 'b: test.nop\n',
  }).declarations.map(({ id }) => id);
  t.deepEqual(ids, ['a', 'b', 'x']);
  const dev = sls('include:', '  - dev: lib.a');
  t.regex(toldBy(() => compileSls(dev))[0] ?? '', /unknown key "dev" in an include/u);
  t.regex(toldBy(() => compileSls('include: [lib.*]\n'))[0] ?? '', /no state file "lib\.\*"/u);
});

test('modules and arguments of Salt that have another name here are told', (t) => {
  const helps = problemsOf(() =>
    compileSls(
      sls(
        'a:',
        '  iptables.append: []',
        'b:',
        '  cmd.run: [{user: www}]',
        'c:',
        '  lvm.vg_present: []',
        'd:',
        '  pkg.installed: [{onfail_stop: False}]',
      ),
    ),
  ).map(({ help }) => help?.replace(/[:;].*/u, ''));
  t.deepEqual(helps, [
    'write firewall.rule',
    'write "runas"',
    'master docs lists all types',
    'remove it',
  ]);
});
