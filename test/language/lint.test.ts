import test from 'ava';
import { lint } from '../../language/lint.ts';
import { showPlace } from '../../language/place.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { treeOf } from '../helpers/tree.ts';

type Files = Readonly<Record<string, string>>;

/** What is said of a tree without any minion, without the words that help. */
function linted(files: Files): readonly string[] {
  const top = { 'states/top.yaml': 'base: {"*": [web]}\n' };
  return lint(treeOf({ ...top, ...files }), stateTypes).map(
    ({ place, message }) => `${showPlace(place)} ${message}`,
  );
}

const WEB = 'states/web.yaml';
const TWICE = {
  'states/a.yaml': 'motd: {file.managed: {name: /etc/motd, contents: a}}\n',
  'states/b.yaml': 'motd: {file.managed: {name: /etc/motd, contents: b}}\n',
};

test('lint finds a requisite to what no file declares', (t) => {
  const other = { 'states/other.yaml': 'nginx: {pkg.installed: {}}\n' };
  const web = 'site: {test.nop: {require: [{pkg: ngnix}, other thing]}}\n';
  t.deepEqual(linted({ [WEB]: web, ...other }), [
    'states/web.yaml:1:35 "require" refers to {pkg: ngnix}, which nothing declares',
    'states/web.yaml:1:43 "require" refers to "other thing", which nothing declares',
  ]);
  t.deepEqual(
    linted({ [WEB]: web.replace('ngnix', 'nginx').replace(', other thing', ''), ...other }),
    [],
  );
});

test('lint does not judge a requisite that a value may make right', (t) => {
  const web = [
    '"{{ pillar.site }} code": {test.nop: {}}',
    'packages: {pkg.installed: {name: "{{ pillar.package }}-common"}}',
    'many: {test.nop: {names: "{{ pillar.names }}"}}',
    'a: {test.nop: {require: [shop code, {pkg: nginx-common}, "{{ pillar.other }}", {file: "web*"}]}}',
    'b: {test.nop: {when: "{{ pillar.b }}", require: [{sls: web}]}}',
  ];
  t.deepEqual(linted({ [WEB]: web.slice(0, 2).concat(web.slice(3)).join('\n') }), []);
  t.deepEqual(linted({ [WEB]: [web[2], 'c: {test.nop: {require: [x]}}'].join('\n') }), []);
});

test('lint finds circles, also through an include', (t) => {
  const files = {
    [WEB]: 'include: [other]\na: {test.nop: {require: [b]}}\n',
    'states/other.yaml': 'b: {test.nop: {require: [a]}}\n',
  };
  t.deepEqual(linted(files), [
    'states/other.yaml:1:5 requisites go round in a circle: test.nop "b" -> test.nop "a" -> test.nop "b"',
  ]);
  const sometimes = {
    ...files,
    [WEB]: files[WEB].replace('{require', '{when: "{{ pillar.a }}", require'),
  };
  t.deepEqual(linted(sometimes), []);
});

test('lint finds what two files say that go to one minion for sure', (t) => {
  const told = 'states/b.yaml:1:1 the ID "motd" is declared twice';
  t.true(linted({ ...TWICE, 'states/top.yaml': 'base: {"*": [a], web: [b]}\n' }).includes(told));
  t.true(linted({ ...TWICE, 'states/top.yaml': 'base: {web: [a, b]}\n' }).includes(told));
  t.deepEqual(linted({ ...TWICE, 'states/top.yaml': 'base: {web: [a], mail: [b]}\n' }), []);
  const sometimes = {
    ...TWICE,
    'states/b.yaml': `when: "{{ pillar.b }}"\n${TWICE['states/b.yaml']}`,
  };
  t.deepEqual(linted({ ...sometimes, 'states/top.yaml': 'base: {"*": [a, b]}\n' }), []);
});

test('lint looks at a file that no line gives to anybody', (t) => {
  const alone = 'a: {test.nop: {require: [b]}}\nb: {test.nop: {require: [a]}}\n';
  const [circle] = linted({ [WEB]: '', 'states/alone.yaml': alone });
  t.regex(circle ?? '', /^states\/alone\.yaml:1:5 requisites go round/u);
});

const RIVALS = [
  'motd: {file.managed: {name: /etc/motd, contents: a}}',
  'issue: {file.managed: {name: /etc/motd, contents: b}}',
].join('\n');

test('lint finds states that undo each other', (t) => {
  const [told, more] = linted({ [WEB]: RIVALS });
  t.regex(told ?? '', /^states\/web\.yaml:2:9 .* undo each other at every run/u);
  t.is(more, undefined);
});

test('lint leaves rivals alone that others give a condition, or that values make', (t) => {
  for (const more of [
    'x: {test.nop: {onchanges_in: [issue]}}',
    'x: {test.nop: {onchanges_in: ["{{ pillar.which }}"]}}',
    'extend: {issue: {file.managed: {unless: "true"}}}',
    'exclude: [{id: motd}]',
  ])
    t.deepEqual(linted({ [WEB]: `${RIVALS}\n${more}\n` }), [], more);
  const computed = RIVALS.replace('contents: b', 'contents: "{{ pillar.text }}"');
  t.deepEqual(linted({ [WEB]: computed }), []);
  const template = RIVALS.replace('contents: b', 'source: motd.hbs');
  t.deepEqual(linted({ [WEB]: template, 'templates/motd.hbs': 'a' }), []);
  const pillar = RIVALS.replace('contents: b', 'contents_pillar: motd');
  t.deepEqual(linted({ [WEB]: pillar }), []);
});

test('lint finds an extend of what no file declares', (t) => {
  const web = 'extend: {ngnix: {service.running: {enable: true}}}\n';
  t.deepEqual(linted({ [WEB]: web }), [
    'states/web.yaml:1:10 "extend" names the ID "ngnix", which nothing declares',
  ]);
  t.deepEqual(linted({ [WEB]: `${web}"{{ pillar.id }}": {test.nop: {}}\n` }), []);
});
