import test from 'ava';
import type { ExecutionContext } from 'ava';
import { stateTypes } from '../../../minion/state-types/index.ts';
import { Secret } from '../../../shared/secret.ts';
import { compileTree, problemsOf } from '../../helpers/tree.ts';

const pillar = {
  key: new Secret('hunter2'),
  shop: { key: new Secret('hunter2'), debug: false },
  port: 80,
};

function compiled(state: string, templates: Readonly<Record<string, string>> = {}) {
  const files = { 'states/web.yaml': state, ...templates };
  return compileTree(files, { states: stateTypes, pillar });
}

/** The arguments of the one state, or of the last. */
function argsOf(state: string, templates: Readonly<Record<string, string>> = {}): unknown {
  return compiled(state, templates).declarations.at(-1)?.args;
}

function mistakes(t: ExecutionContext, state: string, templates = {}): readonly string[] {
  const found = problemsOf(() => compiled(state, templates));
  for (const { message, help } of found) t.notRegex(`${message} ${help}`, /hunter2/);
  return found.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
}

const TEMPLATE = {
  'templates/shop.ini.hbs': 'key={{ pillar.key }}\n',
  'templates/plain.hbs': 'port={{ pillar.port }}\n',
};

test('a file that holds a secret is its owner’s alone, wherever the secret comes from', (t) => {
  const states = [
    '/x: {file.managed: {contents: "a {{ pillar.key }}"}}',
    '/x: {file.managed: {contents: [a, "{{ pillar.key }}"]}}',
    '/x: {file.managed: {contents_pillar: "shop:key"}}',
    '/x: {file.managed: {source: shop.ini.hbs}}',
    '/x: {file.managed: {source: [missing, shop.ini.hbs], makedirs: true}}',
    '/x: {file.serialize: {dataset: {a: {b: "{{ pillar.key }}"}}}}',
    '/x: {file.serialize: {dataset_pillar: shop}}',
  ];
  for (const state of states)
    t.like(argsOf(state, TEMPLATE), { mode: '0600', dir_mode: '0755' }, state);
});

test('a file without a secret has the mode that it always had', (t) => {
  const states = [
    '/x: {file.managed: {contents: "a {{ pillar.port }}"}}',
    '/x: {file.managed: {contents_pillar: "shop:debug"}}',
    '/x: {file.managed: {source: plain.hbs, context: {unused: "{{ pillar.key }}"}}}',
    '/x: {file.managed: {contents: a, check_cmd: "check {{ pillar.key }}"}}',
  ];
  for (const state of states) t.like(argsOf(state, TEMPLATE), { mode: undefined }, state);
});

function moded(mode: string): string {
  return `/x:\n  file.managed:\n    contents_pillar: key\n    mode: ${mode}\n`;
}

test('a mode that the tree says is kept, unless everybody could read the secret by it', (t) => {
  t.like(argsOf(moded('"0640"')), { mode: '0640' });
  t.like(argsOf(moded('"0751"')), { mode: '0751' });
  const message =
    '4:11 "mode" of file.managed lets everybody read "contents_pillar", which holds a secret';
  for (const mode of ['"0644"', '644', '0o664', '"0755"'])
    t.deepEqual(mistakes(t, moded(mode)), [message], mode);
  const kept = '/x: {file.managed: {source: shop.ini.hbs, mode: keep}}';
  t.is(mistakes(t, kept, TEMPLATE).length, 1, 'the template can be read by everybody');
  const line =
    '/x: {file.line: {content: "{{ pillar.key }}", mode: insert, location: end, file_mode: 644}}';
  t.deepEqual(mistakes(t, line), [
    '1:87 "file_mode" of file.line lets everybody read "content", which holds a secret',
  ]);
});

test('of a directory only the files that hold a secret are closed', (t) => {
  const files = { 'templates/etc/a': 'x', 'templates/etc/b.hbs': '{{ pillar.key }}' };
  t.notThrows(() => compiled('/x: {file.recurse: {source: etc}}', files));
  t.is(mistakes(t, '/x: {file.recurse: {source: etc, file_mode: 644}}', files).length, 1);
  t.is(mistakes(t, '/x: {file.recurse: {source: etc, file_mode: keep}}', files).length, 1);
});

test('a secret that others gather for a file closes it too', (t) => {
  const gathering = 'a: {file.accumulated: {filename: /x, text: "{{ pillar.key }}"}}\n';
  const files = { 'templates/all.hbs': '{{#each accumulator.a}}{{ this }}{{/each}}' };
  t.like(argsOf(`${gathering}/x: {file.managed: {source: all.hbs}}`, files), { mode: '0600' });
  t.is(
    mistakes(t, `${gathering}/x: {file.managed: {source: all.hbs, mode: 644}}`, files).length,
    1,
  );
  t.like(argsOf(`${gathering}/x: {file.blockreplace: {append_if_not_found: true}}`), {
    holdsSecret: true,
  });
});

test('what everybody can read takes no secret', (t) => {
  const unit =
    'shop.service:\n  systemd.unit:\n    contents: |\n      [Service]\n      Environment=KEY={{ pillar.key }}\n';
  t.deepEqual(mistakes(t, unit), [
    '4:7 "contents" of systemd.unit holds a secret, which everybody could read',
  ]);
  const variable = 'KEY: {environ.setenv: {value: "{{ pillar.key }}", permanent: true}}';
  t.is(mistakes(t, variable).length, 1);
  const share =
    '/x: {mount.mounted: {device: //server/share, fstype: cifs, opts: "user={{ pillar.key }}"}}';
  t.is(mistakes(t, share).length, 1);
  for (const one of [
    'shop: {nginx.site: {contents: "server { # {{ pillar.key }}\\n}"}}',
    'a.conf: {nginx.snippet: {contents: "# {{ pillar.key }}"}}',
    '/x: {file.symlink: {target: "/{{ pillar.key }}"}}',
    'web: {host.present: {ip: 192.0.2.1, comment: "{{ pillar.key }}"}}',
    '192.0.2.1: {host.only: {hostnames: [web, "{{ pillar.key }}"]}}',
  ])
    t.is(mistakes(t, one).length, 1, one);
});

function source(address: string): string {
  return `x: {pkgrepo.managed: {name: "deb ${address} a main"}}`;
}

test('of some things everybody can read a part: only a secret there is a mistake', (t) => {
  const answers = `mail:
  debconf.set:
    data:
      mail/secret: {type: password, value: "{{ pillar.key }}"}
      mail/url: {type: string, value: "x{{ pillar.key }}"}
`;
  t.deepEqual(mistakes(t, answers), [
    '5:39 "data" of debconf.set holds a secret, which everybody could read',
  ]);
  t.deepEqual(mistakes(t, source('https://robot:{{ pillar.key }}@example.org/debian')), []);
  t.true(compiled(source('https://robot:in%2Fplain@example.org')).secrets.includes('in/plain'));
  for (const one of [
    source('https://example.org/{{ pillar.key }}/debian'),
    'x: {pkgrepo.managed: {name: "deb https://me:x@example.org a main", comps: "{{ pillar.key }}"}}',
  ])
    t.is(mistakes(t, one).length, 1, one);
});
