import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';
import { asMapping, readArguments, readStates } from '../../language/states/arguments.ts';
import { checkData, checkNode } from '../../language/states/check.ts';
import { compile } from '../../language/compile.ts';
import type { Catalog, Declaration } from '../../language/declaration.ts';
import { checkDraft } from '../../language/states/declare.ts';
import { draftsOf } from '../../language/states/draft.ts';
import { moduleOf } from '../../language/states/arguments.ts';
import { expandInstance } from '../../language/states/expand.ts';
import { applyExcludes, applyExtensions } from '../../language/states/extend.ts';
import { absoluteName, includedNodes } from '../../language/states/include.ts';
import { wrongsOf } from '../../language/states/issues.ts';
import { loadFiles } from '../../language/states/load.ts';
import { iterate } from '../../language/states/loop.ts';
import { lift } from '../../language/values/node.ts';
import { PARAM_TYPES } from '../../language/states/params.ts';
import { collectProblems, renderProblem, renderProblems } from '../../language/problem.ts';
import { registerOf } from '../../language/states/references.ts';
import { applyUse, resolveRequisites } from '../../language/requisites.ts';
import { schemaKeys } from '../../language/states/schema-keys.ts';
import { sequenceOf } from '../../language/states/sequence.ts';
import { candidates, isElsewhere } from '../../language/states/sources.ts';
import { readStateFile } from '../../language/state-file.ts';
import { expand, topPath } from '../../language/top.ts';
import { COMMON_WORDS, guardSchema, requisiteOf } from '../../language/states/words.ts';
import { NO_PROVENANCE } from '../../language/pillars/provenance.ts';
import { ConductorError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';
import { isTreeFile } from '../../shared/tree-file.ts';
import { compileText, compileTree, problemsOf, toldBy, treeOf } from '../helpers/tree.ts';

function ids(catalog: Catalog): string[] {
  return catalog.declarations.map(({ id }) => id);
}

function find(catalog: Catalog, id: string): Declaration {
  const found = catalog.declarations.find((declaration) => declaration.id === id);
  if (found === undefined) throw new Error(`no "${id}" among ${ids(catalog).join(', ')}`);
  return found;
}

/** `require a b` for each requisite. */
function requisites({ requisites: all }: Declaration): string[] {
  return all.map(({ kind, targets, implied }) => {
    const names = targets.map((key) => key.split('|')[1] ?? '');
    return `${implied ? 'implied ' : ''}${kind} ${names.join(' ')}`;
  });
}

function noPortLeft(): never {
  throw new ConductorError('STATE_REFUSED', 'no port is left');
}

function say(text: string): string[] {
  return problemsOf(() => compileText(text)).map(({ message, help }) => {
    return `${message}${help === null ? '' : ` (${help})`}`;
  });
}

function keysOf(schema: unknown): string[] {
  return [...schemaKeys(schema).keys()];
}

function words(schema: z.ZodType, value: unknown): string[] {
  return wrongsOf(schema.safeParse(value).error?.issues ?? []).map((wrong) => wrong.words);
}

test('a declaration says all that the engine needs', (t) => {
  const catalog = compileText(
    [
      'conf:',
      '  file.managed:',
      '    name: /etc/a.conf',
      '    contents: hello',
      '    unless: test -e /etc/b',
      '    onlyif: [test -e /etc/c, test -e /etc/d]',
      '    creates: /etc/e',
      '    retry: {attempts: 3, interval: 5, splay: 1}',
      '    timeout: 60',
      '    failhard: true',
      '    runas: deploy',
      '',
    ].join('\n'),
  );
  t.deepEqual(catalog.declarations, [
    {
      key: 'file.managed|conf|/etc/a.conf',
      id: 'conf',
      name: '/etc/a.conf',
      type: 'file.managed',
      args: { name: '/etc/a.conf', contents: 'hello' },
      place: { file: 'states/web.yaml', line: 2, column: 3 },
      stateFile: 'web',
      requisites: [],
      guards: {
        unless: ['test -e /etc/b'],
        onlyif: ['test -e /etc/c', 'test -e /etc/d'],
        creates: ['/etc/e'],
      },
      checkCommands: [],
      retry: { attempts: 3, intervalSeconds: 5, splaySeconds: 1 },
      timeoutSeconds: 60,
      failhard: true,
      runas: 'deploy',
      ports: [],
    },
  ]);
});

test("Salt's forms of states and arguments are read", (t) => {
  const catalog = compileText(
    [
      'curl: pkg.installed',
      'wget: {pkg: [installed]}',
      'vim:',
      '  pkg:',
      '    - installed',
      '    - version: 1.10',
      'nginx:',
      '  pkg.installed: []',
      '  service.running:',
      '    - enable: True',
      '    - watch:',
      '      - pkg: nginx',
      '    - require:',
      '      - vim',
      '/etc/motd:',
      '  file.managed:',
      '    - mode: 0644',
      '    - contents: |',
      '        hello',
      'empty:',
      '  pkg.installed:',
      '',
    ].join('\n'),
  );
  t.deepEqual(ids(catalog), ['curl', 'wget', 'vim', 'nginx', 'nginx', '/etc/motd', 'empty']);
  t.deepEqual(find(catalog, 'vim').args, { name: 'vim', version: '1.10' });
  t.deepEqual(find(catalog, '/etc/motd').args, {
    name: '/etc/motd',
    mode: '0644',
    contents: 'hello\n',
  });
  const service = catalog.declarations[4];
  t.deepEqual(service === undefined ? [] : requisites(service), ['require vim', 'watch nginx']);
});

test('a file of Salt keeps its suffix', (t) => {
  const catalog = compileTree({
    'states/web.sls': 'include:\n  - .more\ncurl:\n  pkg.installed\n',
    'states/more/init.sls': 'wget: pkg.installed\n',
  });
  t.deepEqual(ids(catalog), ['wget', 'curl']);
});

test('"check_cmd" belongs to the type if it has one', (t) => {
  const file = find(compileText('/a:\n  file.managed: {check_cmd: visudo -c}\n'), '/a');
  t.deepEqual([file.args, file.checkCommands], [{ name: '/a', check_cmd: 'visudo -c' }, []]);
  t.deepEqual(find(compileText('a:\n  pkg.installed: {check_cmd: true it}\n'), 'a').checkCommands, [
    'true it',
  ]);
});

test('"runas" is for the guards and for the type', (t) => {
  const { args, runas } = find(compileText('a:\n  cmd.run: {runas: deploy, unless: x}\n'), 'a');
  t.deepEqual([args, runas], [{ name: 'a', runas: 'deploy' }, 'deploy']);
});

test('"retry: true" tries twice', (t) => {
  t.deepEqual(find(compileText('a:\n  pkg.installed: {retry: true}\n'), 'a').retry, {
    attempts: 2,
    intervalSeconds: 30,
    splaySeconds: 0,
  });
  t.is(
    find(compileText('a:\n  pkg.installed: {retry: [{attempts: 4}]}\n'), 'a').retry?.attempts,
    4,
  );
  t.is(find(compileText('a:\n  pkg.installed: {retry: false}\n'), 'a').retry, null);
});

test('a state, or the wait for its next try, has a week at most: a timer for longer would end at once', (t) => {
  for (const words of [
    'timeout: 604801',
    'retry: {interval: 2600000}',
    'retry: {splay: 1000000000}',
  ]) {
    const [problem] = problemsOf(() => compileText(`a:\n  pkg.installed: {${words}}\n`));
    t.regex(problem?.message ?? '', /must be at most 604800, got the number/u, words);
  }
  t.is(find(compileText('a:\n  pkg.installed: {timeout: 604800}\n'), 'a').timeoutSeconds, 604_800);
});

test('included files come first, depth first, each once', (t) => {
  const catalog = compileTree({
    'states/web.yaml': 'foo: pkg.installed\ninclude: [bar, baz]\n',
    'states/bar.yaml': 'include: [quo]\nbar: pkg.installed\n',
    'states/baz.yaml': 'include: [qux, quo]\nbaz: pkg.installed\n',
    'states/quo.yaml': 'quo: pkg.installed\n',
    'states/qux.yaml': 'qux: pkg.installed\n',
  });
  t.deepEqual(ids(catalog), ['quo', 'bar', 'qux', 'baz', 'foo']);
});

test('relative includes are siblings, further dots go up', (t) => {
  const own = { name: 'a.b', path: 'states/a/b.yaml' };
  t.is(absoluteName('.c', own), 'a.c');
  t.is(absoluteName('.c', { ...own, path: 'states/a/b/init.yaml' }), 'a.b.c');
  t.is(absoluteName('..c', own), 'c');
  t.is(absoluteName('x.y', own), 'x.y');
  t.is(includedNodes(null).length, 0);
});

test('an include has params, each and when', (t) => {
  const catalog = compileTree({
    'states/web.yaml': [
      'include:',
      '  - {file: site, each: {one: 1, two: 2}, as: [name, number], params: {name: "{{ name }}", port: "{{ number }}"}}',
      '  - {file: site, params: {name: one, port: 1}}',
      '  - {file: nothing, when: false}',
      '  - "{{ minion.id }}"',
      '',
    ].join('\n'),
    'states/site.yaml':
      'params: {name: string, port: integer, suffix: {type: string, default: "{{ minion.id }}"}}\n"{{ params.name }} {{ params.suffix }}":\n  file.managed: {name: "/etc/{{ params.name }}", contents: "{{ params.port }}!"}\n',
    'states/web1.yaml': 'own: pkg.installed\n',
  });
  t.deepEqual(ids(catalog), ['one web1', 'two web1', 'own']);
  t.deepEqual(find(catalog, 'two web1').args, { name: '/etc/two', contents: '2!' });
});

test('params from the command line are text, and mean what the file declares', (t) => {
  const text =
    'params: {a: string, b: integer, c: boolean, d: list, e: mapping, f: any}\nx:\n  file.managed: {name: /x, context: "{{ params }}"}\n';
  const params = { a: '1.10', b: '5', c: 'true', d: '[1, x]', e: '{k: v}', f: '0644' };
  const { args } = find(compileText(text, { params }), 'x');
  t.deepEqual(args, {
    name: '/x',
    context: { a: '1.10', b: 5, c: true, d: [1, 'x'], e: { k: 'v' }, f: '0644' },
  });
  t.deepEqual(
    toldBy(() => compileText(text, { params: { ...params, b: 'x', z: 1 } })),
    [
      '(command line):1:1 no state file that is applied declares the param "z"',
      '(command line):1:1 the param "b" must be a whole number, got the text "x"',
    ],
  );
  t.is(PARAM_TYPES.length, 7);
});

test('state files can be applied in place of the top file', (t) => {
  const files = {
    'states/a.yaml': 'a: pkg.installed\n',
    'states/b/c.yaml': 'c: pkg.installed\n',
    'states/web.yaml': 'web: pkg.installed\n',
  };
  t.deepEqual(ids(compileTree(files, { stateFiles: ['b.c', 'a'] })), ['c', 'a']);
  t.deepEqual(
    toldBy(() => compileTree(files, { stateFiles: ['b.d'] })),
    ['(command line):1:1 there is no state file "b.d"'],
  );
  const pathHelp = t.throws(() => compileTree(files, { stateFiles: ['states/b/c.yaml'] })).message;
  t.regex(pathHelp, /there is no state file "states\/b\/c\.yaml"[^]*help: write b\.c$/mu);
  const nowhere = t.throws(() => compileTree(files, { stateFiles: ['./zzz/init.sls'] })).message;
  t.regex(nowhere, /help: it would be states\/zzz\.yaml or states\/zzz\/init\.yaml/u);
});

function treeWithSource(name: string) {
  return {
    'states/top.yaml': 'base: {"*": [a]}\n',
    'states/a.yaml': `a: {file.managed: {name: /a, source: ${name}}}\n`,
  };
}

test("a missing file in Salt's words is told in the words of this language", (t) => {
  const salt = t.throws(() => compileTree(treeWithSource('salt://my/x'))).message;
  t.regex(salt, /help: here it is called "my\/x": the file my\/x below templates\//u);
  t.regex(
    t.throws(() => compileTree(treeWithSource('my/x'))).message,
    /a path on the host begins/u,
  );
});

test('no state file for a minion is an empty catalog', (t) => {
  t.deepEqual(compileTree({ 'states/top.yaml': 'base: {db1: [nowhere]}\n' }).declarations, []);
  t.is(topPath('states'), 'states/top.yaml');
});

test('each and when work on a file, an ID and a state', (t) => {
  const catalog = compileTree(
    {
      'states/web.yaml':
        'include: [file, never]\n"{{ key }} {{ value.port }}":\n  each: "{{ pillar.sites }}"\n  when: "{{ value.on }}"\n  pkg.installed: {}\nstate:\n  file.managed: {each: [a, b], as: f, when: \'{{ ne f "b" }}\', name: "/{{ f }}"}\n  pkg.installed: {when: "{{ pillar.nothing }}"}\n',
      'states/file.yaml':
        'each: [x, y, z]\nas: [letter]\nwhen: \'{{ ne letter "y" }}\'\n"file {{ letter }}": pkg.installed\n',
      'states/never.yaml': 'when: false\ninclude: [nowhere]\nnever: pkg.installed\n',
    },
    {
      pillar: { sites: { one: { port: 1, on: true }, two: { port: 2, on: false } }, nothing: null },
    },
  );
  t.deepEqual(ids(catalog), ['file x', 'file z', 'one 1', 'state']);
  t.is(find(catalog, 'state').name, '/a');
});

test('each over nothing is nothing', (t) => {
  t.deepEqual(
    ids(compileText('each: "{{ default pillar.sites null }}"\n"{{ key }}": pkg.installed\n')),
    [],
  );
});

test('when is looked at before anything else is computed', (t) => {
  t.deepEqual(
    ids(compileText('a:\n  pkg.installed: {when: false, version: "{{ pillar.nowhere }}"}\n')),
    [],
  );
});

test('names make one declaration each, with arguments of their own', (t) => {
  const catalog = compileText(
    'tools:\n  file.managed:\n    mode: "0600"\n    names:\n      - /a\n      - /b: {mode: "0644"}\n      - /c:\n        - contents: x\n',
  );
  t.deepEqual(
    catalog.declarations.map(({ args }) => args),
    [
      { name: '/a', mode: '0600' },
      { name: '/b', mode: '0644' },
      { name: '/c', mode: '0600', contents: 'x' },
    ],
  );
  t.is(new Set(catalog.declarations.map(({ key }) => key)).size, 3);
});

test('references are IDs, names, modules, types, files and globs', (t) => {
  const catalog = compileTree({
    'states/web.yaml': [
      'include: [other]',
      'base: {pkg.installed: {}}',
      'a:',
      '  pkg.installed:',
      '    require: [base, {pkg: other-package}, {file.managed: conf}]',
      '    watch: {file: /etc/*.conf}',
      '    onchanges: [{file: other}]',
      '    onfail: [{sls: oth*}]',
      'conf: {file.managed: {name: /etc/a.conf}}',
      'conf2: {file.managed: {name: /etc/b.conf}}',
      '',
    ].join('\n'),
    'states/other.yaml': 'thing: {pkg.installed: {name: other-package}}\nmore: {pkg.removed: {}}\n',
  });
  t.deepEqual(requisites(find(catalog, 'a')), [
    'require base thing conf',
    'watch conf conf2',
    'onchanges thing more',
    'onfail thing more',
  ]);
});

test('every requisite has its "_in" form', (t) => {
  const kinds =
    'require require_any watch watch_any onchanges onchanges_any onfail onfail_any onfail_all listen'.split(
      ' ',
    );
  for (const kind of kinds) {
    const catalog = compileText(
      `a:\n  pkg.installed: {${kind}_in: [c]}\nb:\n  pkg.installed: {${kind}_in: [{pkg: c}]}\nc: {pkg.installed: {${kind}: [d]}}\nd: pkg.installed\n`,
    );
    t.deepEqual(requisites(find(catalog, 'c')), [`${kind} a b d`], kind);
  }
  const prereq = compileText('a: pkg.installed\nb: {pkg.installed: {prereq_in: [a]}}\n');
  t.deepEqual([requisites(find(prereq, 'a')), ids(prereq)], [['prereq b'], ['a', 'b']]);
  t.is(requisiteOf('use'), null);
  t.is(requisiteOf('use_in'), null);
  t.true(COMMON_WORDS.includes('listen_in') && COMMON_WORDS.includes('use_in'));
});

test('use copies arguments, not requisites, guards or the name', (t) => {
  const catalog = compileText(
    'a:\n  file.managed: {name: /a, mode: "0600", user: x, unless: u, require: [z]}\nb:\n  file.managed: {name: /b, user: y, use: [{file: /a}]}\nz: pkg.installed\n',
  );
  const b = find(catalog, 'b');
  t.deepEqual(b.args, { name: '/b', mode: '0600', user: 'y' });
  t.deepEqual([b.requisites, b.guards.unless], [[], []]);
});

test('what a thing needs and another provides is required without a word', (t) => {
  const catalog = compileText(
    'conf: {file.managed: {name: /etc/x/a, user: deploy}}\ndir: {file.directory: {name: /etc/x}}\ndeploy: {user.present: {}}\n',
  );
  t.deepEqual(ids(catalog), ['dir', 'deploy', 'conf']);
  t.deepEqual(requisites(find(catalog, 'conf')), ['implied require dir deploy']);
});

test('an implied requisite gives way to a written one', (t) => {
  const catalog = compileText(
    'dir: {file.directory: {name: /etc/x, require: [conf]}}\nconf: {file.managed: {name: /etc/x/a}}\n',
  );
  t.deepEqual(ids(catalog), ['conf', 'dir']);
  t.deepEqual(requisites(find(catalog, 'conf')), []);
});

test('a port that is named in a state is needed from who allocates it', (t) => {
  const catalog = compileText(
    'site: {file.managed: {name: /a, contents: \'port {{ port "web" }}\'}}\nweb: {port.allocated: {}}\nother: {port.allocated: {}}\n',
  );
  t.deepEqual(ids(catalog), ['web', 'site', 'other']);
  t.deepEqual(find(catalog, 'site').ports, ['web']);
  t.deepEqual(
    [...catalog.ports.entries()].toSorted(([a], [b]) => a.localeCompare(b)),
    [
      ['other', 8005],
      ['web', 8003],
    ],
  );
});

test('a port is allocated once for all who name it', (t) => {
  const asked: string[] = [];
  const allocatePort = (name: string) => 9000 + asked.push(name);
  compileText(
    'a: {file.managed: {name: /a, contents: \'{{ port "p" }}.\'}}\nb: {file.managed: {name: /b, contents: \'{{ port "p" }}.\'}}\np: {port.allocated: {}}\n',
    { allocatePort },
  );
  t.deepEqual(asked, ['p']);
});

test('an allocator that has none left is a mistake at the state', (t) => {
  const allocatePort = noPortLeft;
  t.deepEqual(
    toldBy(() => compileText('p: {port.allocated: {}}\n', { allocatePort })),
    ['states/web.yaml:1:5 no port is left'],
  );
});

test('extend appends requisites and replaces the rest', (t) => {
  const catalog = compileTree({
    'states/web.yaml':
      'include: [nginx]\nextend:\n  nginx:\n    service.running: {enable: false, watch: [conf]}\n    file.managed: {name: /n}\nconf: {file.managed: {name: /c}}\n',
    'states/nginx.yaml':
      'nginx:\n  pkg.installed: {}\n  service.running: {enable: true, watch: [{pkg: nginx}]}\n',
  });
  const service = catalog.declarations.find(({ type }) => type === 'service.running');
  t.deepEqual(service?.args, { name: 'nginx', enable: false });
  t.deepEqual(service === undefined ? [] : requisites(service), ['watch nginx conf']);
  t.true(catalog.declarations.some(({ key }) => key === 'file.managed|nginx|/n'));
});

test('exclude leaves out IDs and files', (t) => {
  const catalog = compileTree({
    'states/web.yaml': 'include: [a, b]\nexclude: [{id: "a*"}, {sls: b}]\nkept: pkg.installed\n',
    'states/a.yaml': 'a1: pkg.installed\na2: pkg.installed\nrest: pkg.installed\n',
    'states/b.yaml': 'b: pkg.installed\n',
  });
  t.deepEqual(ids(catalog), ['rest', 'kept']);
});

function shown(source: unknown): string {
  return isTreeFile(source) ? Buffer.from(source.read()).toString() : String(source);
}

/** What compiles a file from a source with these other arguments. */
function withArgs(args: string, text = 'rotate {{ keep }}\n') {
  return () =>
    compileTree({
      'states/web.yaml': `a: {file.managed: {name: /a, source: salt://rotate, ${args}}}\n`,
      'templates/rotate': text,
    });
}

test('values for a file with expressions that is not rendered are a mistake', (t) => {
  const [problem, ...others] = problemsOf(withArgs('context: {keep: 7}'));
  t.is(problem?.message, '"context" is for a template, and "templates/rotate" is not rendered');
  t.deepEqual([problem?.place.line, others], [1, []]);
  t.regex(problemsOf(withArgs('defaults: {keep: 7}'))[0]?.message ?? '', /^"defaults" is for/u);
  t.notThrows(withArgs('context: {keep: 7}, template: handlebars'));
  t.notThrows(withArgs('context: {keep: 7}, template: false'));
  t.notThrows(withArgs('context: {keep: 7}', 'rotate 7\n'));
});

test('files of the tree come as files, templates rendered', (t) => {
  const catalog = compileTree({
    'states/web.yaml': [
      'each: [one]',
      'as: name',
      'a: {file.managed: {name: /a, source: site.hbs, defaults: {x: 1, y: 2}, context: {y: "{{ name }}"}}}',
      'b: {file.managed: {name: /b, source: salt://raw.txt}}',
      'c: {file.managed: {name: /c, source: [missing.txt, raw.txt]}}',
      'h: {file.managed: {name: /h, source: ["https://example.org/x", /srv/local, raw.txt, never.txt]}}',
      'd: {file.managed: {name: /d, source: /srv/local}}',
      'e: {file.managed: {name: /e, source: "https://example.org/x"}}',
      'f: {file.managed: {name: /f, source: raw.txt, template: hbs}}',
      'g: {file.managed: {name: /g, source: templates/site.hbs, template: false}}',
      '',
    ].join('\n'),
    'templates/site.hbs': '{{x}} {{y}} {{name}} {{minion.id}}\n',
    'templates/raw.txt': 'id {{minion.id}}\n',
  });
  const source = (id: string): string => {
    const { args } = find(catalog, id);
    const value: unknown =
      typeof args === 'object' && args !== null && 'source' in args ? args.source : null;
    return Array.isArray(value) ? value.map(shown).join(' then ') : shown(value);
  };
  t.is(source('h'), 'https://example.org/x then /srv/local then id {{minion.id}}\n');
  t.deepEqual('abcdefg'.split('').map(source), [
    '1 one one web1\n',
    'id {{minion.id}}\n',
    'id {{minion.id}}\n',
    '/srv/local',
    'https://example.org/x',
    'id web1\n',
    '{{x}} {{y}} {{name}} {{minion.id}}\n',
  ]);
});

test('a source never leaves templates/', (t) => {
  t.deepEqual(candidates('../states/top.yaml'), []);
  t.deepEqual(candidates('a/../../x'), []);
  t.true(
    isElsewhere('/etc/x') && isElsewhere(`sha256=${'0'.repeat(64)}`) && !isElsewhere('salt://x'),
  );
});

test('secrets are revealed in arguments only, and listed', (t) => {
  const pillar = { pw: new Secret('hunter22'), unused: new Secret('other secret') };
  const catalog = compileTree(
    {
      'states/web.yaml':
        'u: {user.present: {password: "{{ upper pillar.pw }}"}}\nf: {file.managed: {name: /f, contents: "long text with {{ pillar.pw }}"}}\nt: {file.managed: {name: /t, source: t.hbs}}\n',
      'templates/t.hbs': 'pw={{pillar.pw}}\n',
    },
    { pillar },
  );
  t.deepEqual(find(catalog, 'u').args, { name: 'u', password: 'HUNTER22' });
  t.deepEqual(find(catalog, 'f').args, { name: '/f', contents: 'long text with hunter22' });
  t.deepEqual(catalog.secrets.toSorted(), ['HUNTER22', 'hunter22', 'other secret']);
});

test('what a type finds secret within its arguments is listed with the secrets', (t) => {
  const schema = z.strictObject({ name: z.string() });
  const cloned = { name: 'git.cloned', schema, secretsIn: () => ['hunter22'] } as const;
  const states = new Map([['git.cloned', cloned]]);
  const catalog = compileText('"https://me:hunter22@x/a.git": git.cloned\n', { states });
  t.deepEqual(catalog.secrets, ['hunter22']);
});

test('a mistake never tells a secret', (t) => {
  const pillar = { pw: new Secret('hunter22'), sites: { hunter22: 1 } };
  const text =
    'u: {user.present: {shell: "{{ pillar.pw }}"}}\n"{{ pillar.pw }}": pkg.installed\nr: {pkg.installed: {require: ["{{ concat pillar.pw \\"x\\" }}"]}}\nc: {file.managed: {name: "{{ pillar.pw }}"}}\n';
  const error = t.throws(() => compileText(text, { pillar }), { instanceOf: ConductorError });
  t.false(error.message.includes('hunter22'));
  t.false(JSON.stringify(error.details).includes('hunter22'));
  t.is(problemsOf(() => compileText(text, { pillar })).length, 5);
});

test('mistakes of values are told in plain words', (t) => {
  t.deepEqual(say('a: {user.present: {uid: x}}\n'), [
    '"uid" of user.present must be a number, got the text "x"',
  ]);
  t.deepEqual(say('a: {user.present: {uid: 0}}\n'), [
    '"uid" of user.present must be at least 1, got the number 0',
  ]);
  t.deepEqual(say('a: {user.present: {uid: 99999}}\n'), [
    '"uid" of user.present must be at most 65535, got the number 99999',
  ]);
  t.deepEqual(say('a: {user.present: {shell: /bin/bsh}}\n'), [
    '"shell" of user.present must be one of "/bin/bash", "/bin/sh", got the text "/bin/bsh" (did you mean "/bin/bash"?)',
  ]);
  t.deepEqual(say('a: {file.managed: {name: a}}\n'), [
    '"name" of file.managed must start with "/", got the text "a"',
  ]);
  t.deepEqual(say('a: {file.managed: {name: /a, mode: [x]}}\n'), [
    '"mode" of file.managed must be a text or a number, got a list',
  ]);
  t.deepEqual(say('a: {pkg.installed: {pkgs: [a, {b: 1}]}}\n'), [
    '"pkgs.1" of pkg.installed must be a text, got a mapping',
  ]);
  t.deepEqual(say('a: {file.managed: {name: /a, source: /b, contents: c}}\n'), [
    'file.managed takes source or contents, not both',
  ]);
  t.deepEqual(say('a: {pkg.installed: {version: 1.5}}\n'), [
    '"version" of pkg.installed must be a text, got the number 1.5',
  ]);
});

test('a broken value is told once, not again by its schema', (t) => {
  t.deepEqual(
    toldBy(() => compileText('a: {user.present: {uid: "{{ pillar.uid }}", shel: x}}\n')),
    [
      'states/web.yaml:1:36 "pillar" has no "uid"',
      'states/web.yaml:1:45 unknown argument "shel" of user.present',
    ],
  );
});

test('compiling is the same each time, and fails as a whole', (t) => {
  const files = {
    'states/web.yaml': 'include: [b]\na: {pkg.installed: {require: [b]}}\n',
    'states/b.yaml': 'b: {pkg.installed: {versoin: 1}}\nc: pkg.instaled\n',
  };
  const first = toldBy(() => compileTree(files));
  t.deepEqual(
    first,
    toldBy(() => compileTree(files)),
  );
  t.is(first.length, 2);
});

test('a rendered problem shows the line, a caret and what led there', (t) => {
  const text = renderProblem({
    place: { file: 'states/web.yaml', line: 12, column: 5 },
    message: 'unknown argument "mdoe" of file.managed',
    help: 'did you mean "mode"?',
    chain: [{ words: 'included from', place: { file: 'states/top.yaml', line: 3, column: 10 } }],
    sourceLine: '    mdoe: "0644"',
  });
  t.is(
    text,
    [
      'states/web.yaml:12:5: unknown argument "mdoe" of file.managed',
      '   12 |     mdoe: "0644"',
      '      |     ^^^^',
      '  help: did you mean "mode"?',
      '  included from states/top.yaml:3:10',
    ].join('\n'),
  );
  t.is(renderProblems([]), '0 problems');
});

test('no value of a pillar can add a declaration, an argument or a requisite', (t) => {
  const text =
    '"id {{ pillar.v }}":\n  file.managed:\n    name: "/{{ pillar.v }}"\n    contents: "{{ pillar.v }}"\n    context: {"k {{ pillar.v }}": "{{ pillar.v }}"}\n';
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (v) => {
      const { declarations } = compileText(text, { pillar: { v } });
      t.deepEqual(
        declarations.map(({ id, args }) => [id, args]),
        [[`id ${v}`, { name: `/${v}`, contents: v, context: { [`k ${v}`]: v } }]],
      );
    }),
  );
});

test('any small tree compiles or is refused, and never fails otherwise', (t) => {
  const words = [
    'a',
    'pkg',
    'pkg.installed',
    'file.managed',
    'include',
    'each',
    'as',
    'when',
    'extend',
    'exclude',
    'names',
    'require',
    'watch_in',
    'use',
    'name',
    'retry',
    'order',
    'params',
    '{{ item }}',
    '{{ minion.id }}',
    '/x',
    'web',
    'true',
    '-1',
    '',
  ];
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<unknown>(...words, 1, null, true),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...words), tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      t.true(
        problemsOf(() => compileText(JSON.stringify(value))).every(({ place }) => place.line >= 1),
      );
    }),
    { numRuns: 1500 },
  );
});

test('three thousand states are no burden', (t) => {
  const states = Array.from(
    { length: 3000 },
    (_, index) =>
      `s${index}: {file.managed: {name: "/srv/{{ minion.id }}/${index}", require: [s${index + 1}]}}`,
  );
  const text = [...states, 's3000: {file.directory: {name: /srv/web1}}', ''].join('\n');
  const begun = process.cpuUsage();
  t.is(compileText(text).declarations[0]?.id, 's3000');
  const { user } = process.cpuUsage(begun);
  t.log(`${Math.round(user / 1000)} ms`);
});

test('schemas tell their keys through wrappers', (t) => {
  const object = z.strictObject({ a: z.string() });
  t.deepEqual(keysOf(object.transform((value) => value)), ['a']);
  t.deepEqual(keysOf(z.preprocess((value) => value, object)), ['a']);
  t.deepEqual(keysOf(object.optional()), ['a']);
  t.deepEqual(keysOf(z.union([object, z.strictObject({ b: z.string() })])), ['a', 'b']);
  t.deepEqual(keysOf(z.intersection(object, z.object({ c: z.string() }))), ['a', 'c']);
  t.deepEqual(keysOf(z.string()), []);
  t.true(keysOf(guardSchema).includes('unless'));
});

test('issues become words', (t) => {
  t.deepEqual(words(z.string().min(1), ''), ['must not be empty']);
  t.deepEqual(words(z.array(z.string()).max(1), ['a', 'b']), ['must have at most 1 item']);
  t.deepEqual(words(z.number().multipleOf(5), 3), ['must be a multiple of 5']);
  t.deepEqual(words(z.union([z.literal('a'), z.int()]), true), ['must be "a" or a number']);
  t.deepEqual(words(z.string().regex(/^a$/u), 'b'), ['must match /^a$/u']);
  t.deepEqual(words(z.string().regex(/^a$/u, 'is no a'), 'b'), ['is no a']);
  t.deepEqual(words(z.record(z.string().min(2), z.int()), { a: 1 }), [
    'must have at least 2 characters',
  ]);
  t.deepEqual(words(z.email(), 'b'), ['must be of the form of email']);
  t.deepEqual(words(z.number().gt(5), 5), ['must be more than 5']);
});

test('the parts work alone as together', (t) => {
  const place = { file: 'a', line: 1, column: 1 };
  const tree = treeOf({ 'states/a.yaml': 'x: {pkg.installed: {version: "1"}}\n' });
  const found = collectProblems(tree);
  const workshop = {
    problems: found,
    allocatePort: () => 1,
    ports: new Map(),
    secrets: new Set<string>(),
    syntax: new Map(),
    provenance: NO_PROVENANCE,
    trail: [],
  };
  const scope = { names: new Map(), chain: [] };
  const roots = { files: [{ name: 'a', place }], params: {}, listed: null };
  const instances = loadFiles(roots, { tree, workshop, scope });
  const states = instances.flatMap((instance) => expandInstance(instance, workshop));
  const kept = applyExcludes(applyExtensions(states, [], found), instances, found);
  const named = kept.flatMap((state) => draftsOf(state, found));
  const drafts = applyUse(named, registerOf(named, new Set()), found);
  const wanted = resolveRequisites(drafts, registerOf(drafts, new Set()), found);
  const checked = drafts.flatMap(
    (draft) =>
      checkDraft(draft, {
        tree,
        workshop,
        states: new Map(),
        requisites: wanted,
        keysByType: new Map(),
        isRendered: true,
      }) ?? [],
  );
  t.deepEqual(sequenceOf(checked, { requisites: wanted, drafts, problems: found }), []);
  t.deepEqual(
    found.list().map(({ message }) => message),
    ['unknown state type "pkg.installed"'],
  );
  t.is(readStateFile(tree, { name: 'a', place }, found)?.states.length, 1);
  t.deepEqual(expand({ name: 'a*', place }, new Map([['ab', 1]])), [{ name: 'ab', place }]);
  t.is(iterate({ each: null, as: null, when: null }, scope, workshop).length, 1);
  t.is(moduleOf('pkg.installed'), 'pkg');
  const where = { problems: found, chain: [] };
  t.is(readArguments(lift({ a: 1 }, place), 'x', where).size, 1);
  t.is(readStates('x', lift('pkg.installed', place), where)[0]?.type, 'pkg.installed');
  t.is(asMapping(lift([{ a: 1 }, { b: 2 }], place)).kind, 'mapping');
  const node = { kind: 'mapping', place, entries: [] } as const;
  const subject = { what: 'x', node, place, keys: () => [], chain: [], problems: found };
  t.deepEqual(checkNode(z.strictObject({}), subject)?.value, {});
  t.is(checkData(z.string(), subject, 'y')?.value, 'y');
  t.is(typeof compile, 'function');
});
