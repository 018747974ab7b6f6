import test from 'ava';
import { stateTypes } from '../../../minion/state-types/index.ts';
import { Secret } from '../../../shared/secret.ts';
import { compileTree, problemsOf } from '../../helpers/tree.ts';

const pillar = { key: new Secret('hunter2') };

function compiled(state: string) {
  return compileTree({ 'states/web.yaml': state }, { states: stateTypes, pillar });
}

function mistakes(state: string): readonly string[] {
  return problemsOf(() => compiled(state)).map(({ message }) => message);
}

function entry(args: string): string {
  return `entry: {acl.present: {name: /srv/x, ${args}}}\n`;
}

const EVERYBODY = 'acl_type: other, perms: r';

test('nobody lets everybody read what a secret goes into', (t) => {
  const writers = [
    '/srv/x: {file.managed: {contents_pillar: key}}',
    '/srv/x: {file.managed: {contents_pillar: key, onlyif: test -e /x}}',
    '/srv/x: {file.append: {text: "{{ pillar.key }}"}}',
    '/srv/x: {file.serialize: {dataset: {a: "{{ pillar.key }}"}}}',
  ];
  for (const writer of writers) {
    const [told = '', ...more] = mistakes(entry(EVERYBODY) + writer);
    t.regex(told, /lets everybody read "\/srv\/x", into which file\.\w+ "\/srv\/x" puts a secret$/);
    t.deepEqual(more, []);
  }
  const programs = `entry: {acl.present: {name: /etc, ${EVERYBODY}, recurse: true}}
shop: {supervisor.program: {cmd: /bin/x, env: {KEY: "{{ pillar.key }}"}}}
MAILTO: {cron.env_present: {user: root, value: "{{ pillar.key }}"}}
token: {git.config_set: {name: http.x, value: "{{ pillar.key }}", repo: /etc/repo}}
`;
  t.regex(mistakes(programs).join(), /supervisor\.program "shop" puts a secret/);
  const below = '/srv/x/deep/key: {file.managed: {contents_pillar: key, makedirs: true}}';
  t.is(mistakes(entry(`${EVERYBODY}, recurse: true`) + below).length, 1);
  t.deepEqual(mistakes(entry(EVERYBODY) + below), []);
});

test('an entry that a mode takes away at every run is a mistake', (t) => {
  const takes = {
    'acl_type: user, acl_name: bob, perms: r': '0600',
    'acl_type: group, acl_name: "", perms: rw': '0640',
    'acl_type: mask, perms: r': '0660',
    'acl_type: user, perms: r': '0600',
    'acl_type: other, perms: rX': '0640',
  };
  for (const [args, mode] of Object.entries(takes)) {
    const [told = ''] = mistakes(`${entry(args)}/srv/x: {file.managed: {mode: "${mode}"}}`);
    t.regex(
      told,
      /undo each other at every run: the entry .+ is to give .+ at "\/srv\/x", and the mode/,
    );
  }
});

test('an entry that fits the mode is none, nor one of what is made later or sometimes', (t) => {
  const fits = {
    'acl_type: user, acl_name: bob, perms: r': '0640',
    'acl_type: user, acl_name: bob, perms: rX': '0740',
    'acl_type: other, perms: rX': '0755',
    'acl_type: mask, perms: rw': '0660',
    'acl_type: "default:other", perms: r': '0700',
  };
  for (const [args, mode] of Object.entries(fits)) {
    t.deepEqual(mistakes(`${entry(args)}/srv/x: {file.directory: {mode: "${mode}"}}`), [], args);
  }
  const rarely = entry('acl_type: user, acl_name: bob, perms: r, onlyif: test -e /x');
  t.deepEqual(mistakes(`${rarely}/srv/x: {file.managed: {mode: "0600"}}`), []);
  const sometimes = '/srv/x: {file.managed: {mode: "0600", unless: test -e /x}}';
  t.deepEqual(mistakes(entry('acl_type: user, acl_name: bob, perms: r') + sometimes), []);
  t.deepEqual(mistakes(`${entry(EVERYBODY)}/srv/x: {file.append: {text: a}}`), []);
});
