import test from 'ava';
import { z } from 'zod';
import type { StateSchemas } from '../../../language/state-schema.ts';
import { Secret } from '../../../shared/secret.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';
import { compileText, problemsOf } from '../../helpers/tree.ts';

const schema = z.strictObject({
  name: z.string(),
  env: z.record(z.string(), z.string()).exactOptional().meta({ isExposed: true }),
  args: z.array(z.string()).exactOptional().describe('Its arguments').meta({ isExposed: true }),
  stdin: z.string().exactOptional(),
  password: z.string().regex(/^[$]/u).exactOptional().meta({ secret: true }),
});
const states: StateSchemas = new Map([['cmd.run', { name: 'cmd.run', schema }]]);
const pillar = { pw: new Secret('hunter22'), plain: 'x' };

function told(text: string): readonly string[] {
  return problemsOf(() => compileText(text, { states, pillar })).map(
    ({ place, message, help, sourceLine }) =>
      `${place.line}:${place.column} ${message} (${help}) ${sourceLine}`,
  );
}

test('a secret that a process would be started with is a mistake, with a way out', (t) => {
  const [first = '', second = '', ...others] = told(
    `a:
  cmd.run:
    env: {PASSWORD: "{{ pillar.pw }}", OTHER: "{{ pillar.plain }}"}
b:
  cmd.run:
    args: [--user, "--password={{ pillar.pw }}"]
    stdin: "{{ pillar.pw }}"
`,
  );
  t.regex(first, /^3:21 "env" of cmd.run cannot hold a secret \(.*standard input.*mode 0600/u);
  t.regex(second, /^6:20 "args" of cmd.run cannot hold a secret/u);
  t.deepEqual(others, []);
});

test('what is no secret may stand there, and a secret elsewhere', (t) => {
  t.deepEqual(
    told('a: {cmd.run: {args: ["{{ pillar.plain }}"], stdin: "{{ pillar.pw }}", env: {A: b}}}\n'),
    [],
  );
});

test('a value of a secret argument is not quoted where it is wrong', (t) => {
  const [first = '', ...others] = told('a: {cmd.run: {password: hunter2-plain}}\n');
  t.regex(first, /"password" of cmd.run .* got a value that is not shown here/u);
  t.false(first.includes('hunter2'));
  t.deepEqual(others, []);
});

function toldOfAll(text: string): readonly string[] {
  return problemsOf(() => compileText(text, { states: stateTypes, pillar })).map(
    ({ message }) => message,
  );
}

test('what a thing is called, where it is and whose it is holds no secret, whatever its type', (t) => {
  for (const [state, argument] of [
    ['service.running: {name: "{{ pillar.pw }}"}', 'name'],
    ['virtualenv.managed: {name: "/srv/{{ pillar.pw }}"}', 'name'],
    ['acl.present: {name: "/srv/{{ pillar.pw }}", acl_type: user, acl_name: x, perms: r}', 'name'],
    ['user.present: {name: bob, home: "/home/{{ pillar.pw }}"}', 'home'],
    ['user.present: {name: bob, shell: "/bin/{{ pillar.pw }}"}', 'shell'],
    ['file.managed: {name: /x, user: "{{ pillar.pw }}"}', 'user'],
    ['pkg.installed: {pkgs: [a, "{{ pillar.pw }}"]}', 'pkgs'],
    ['cmd.run: {name: a, creates: "/{{ pillar.pw }}"}', 'creates'],
  ] as const) {
    const [type = ''] = state.split(':');
    t.deepEqual(toldOfAll(`a: {${state}}`), [`"${argument}" of ${type} cannot hold a secret`]);
  }
});

test('a name that is no mere name may hold a secret', (t) => {
  for (const state of [
    'cmd.run: {name: "psql {{ pillar.pw }}", always: true}',
    'http.query: {name: "https://example.org/?token={{ pillar.pw }}"}',
    'git.cloned: {name: "https://me:{{ pillar.pw }}@example.org/a.git", target: /srv/a}',
    'mysql_query.run: {name: "SELECT \'{{ pillar.pw }}\'", database: a, always: true}',
  ])
    t.deepEqual(toldOfAll(`a: {${state}}`), [], state);
});
