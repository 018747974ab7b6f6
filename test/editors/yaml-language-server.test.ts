import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { stateTypes } from '../../minion/state-types/index.ts';
import { editorSettings, schemaFiles } from '../../tools/schemas.ts';
import { startLanguageServer } from './language-server.ts';

/**
 * The schemas in a real YAML language server, with the settings that docs/editors.md tells: what is
 * offered, what is shown, and what is said to be wrong.
 */
const root = mkdtempSync(join(tmpdir(), 'conductor-editor-'));
mkdirSync(join(root, 'docs/schema'), { recursive: true });
for (const [path, text] of schemaFiles()) writeFileSync(join(root, 'docs', path), text);

const server = await startLanguageServer(root, {
  validate: true,
  hover: true,
  completion: true,
  ...editorSettings(`file://${root}/docs/schema`),
});

test.after.always(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

let documents = 0;

/** Every document is another: the server answers for one at a time. */
function uri(folder: string, suffix = 'yaml'): string {
  documents += 1;
  return `file://${root}/${folder}/document-${documents}.${suffix}`;
}

async function complaints(folder: string, text: string): Promise<string[]> {
  const found = await server.open(uri(folder), text);
  return found.map(({ message, range: { start } }) => `${start.line + 1}: ${message}`);
}

test('every function is offered below an ID', async (t) => {
  const labels = await server.complete(uri('states'), 'motd:\n  |\n');
  for (const name of stateTypes.keys()) t.true(labels.includes(name), name);
});

test('arguments, requisites and guards are offered below a function, in both forms', async (t) => {
  for (const form of ['', '- ']) {
    const labels = await server.complete(uri('states'), `motd:\n  file.managed:\n    ${form}|\n`);
    for (const word of ['contents', 'mode', 'require', 'watch_in', 'unless', 'when', 'names'])
      t.true(labels.includes(word), word);
    t.false(labels.includes('fire_event'));
    t.false(labels.includes('target'));
  }
});

test('values are offered', async (t) => {
  const labels = await server.complete(uri('states'), 'x:\n  file.managed:\n    makedirs: |\n');
  t.true(labels.includes('true') && labels.includes('false'));
  const types = await server.complete(uri('states'), 'params:\n  port: |\n');
  for (const type of ['string', 'integer', 'mapping']) t.true(types.includes(type), type);
});

test('top files and pillars have schemas of their own', async (t) => {
  t.true((await server.complete(`file://${root}/states/top.1.yaml`, '|\n')).includes('base'));
  t.deepEqual(await server.open(`file://${root}/pillars/top.1.yaml`, 'base:\n  "*": [base]\n'), []);
  const [wrong] = await server.open(`file://${root}/states/top.2.yaml`, 'bas: {"*": [base]}\n');
  t.is(wrong?.message, 'Property bas is not allowed.');
  const pillar = 'a: {b: [1]}\n+list: [x]\n-list:\n"+more": "{{ pillar.list }}"\nc: !sealed "x"\n';
  t.deepEqual(await complaints('pillars', pillar), []);
  t.is((await complaints('pillars', 'a:\n  +list: {x: 1}\n')).length, 1);
  t.regex(
    await server.hover(`file://${root}/states/top.3.yaml`, 'base:\n  "we|b*": [web]\n'),
    /glob/u,
  );
});

test('when minions come by themselves is offered, shown and checked', async (t) => {
  const labels = await server.complete(uri('pillars'), 'schedule:\n  |\n');
  for (const key of ['cron', 'every', 'splay', 'windows', 'catch_up'])
    t.true(labels.includes(key), key);
  const manual = await server.hover(uri('pillars'), 'schedule:\n  spl|ay: 90m\n');
  t.regex(manual, /how much later/u);
  const whole = [
    'schedule:',
    '  cron: "30 2 * * mon-fri"',
    '  timezone: Asia/Jerusalem',
    '  splay: 90m',
    '  windows: {allow: ["22:00-06:00"], deny: [{days: [sat]}, {days: fri, time: "18:00-24:00"}]}',
    '  catch_up: true',
    '  on_failure: {retry_after: 15m, attempts: 3}',
    '  -at:',
    'other: {schedule: 3}',
    '',
  ].join('\n');
  t.deepEqual(await complaints('pillars', whole), []);
  t.deepEqual(await complaints('pillars', 'schedule:\n  crom: "@daily"\n'), [
    '2: Property crom is not allowed.',
  ]);
  t.is((await complaints('pillars', 'schedule:\n  catch_up: later\n')).length, 1);
});

test('what a function does and an argument means is shown, with an example', async (t) => {
  const manual = await server.hover(uri('states'), 'motd:\n  file.man|aged:\n    mode: "0644"\n');
  t.regex(manual, /^A regular file with this content/mu);
  t.regex(manual, /```yaml\n\/etc\/motd:\n {2}file\.managed:/u);
  t.regex(
    await server.hover(uri('states'), 'a:\n  service.running:\n    - en|able: true\n'),
    /boot/iu,
  );
  t.regex(
    await server.hover(uri('states'), 'a:\n  file.managed:\n    on|changes: [b]\n'),
    /Only if one of these states has changed/u,
  );
});

test('mistakes are told at their places', async (t) => {
  const text = [
    'motd:',
    '  file.managd:',
    '    name: /etc/motd',
    '/etc/issue:',
    '  file.managed:',
    '    contnts: hello',
    '    makedirs: maybe',
    '    contents_grains: motd',
    '/etc/link:',
    '  file.symlink: {user: root}',
    'include: [{fil: base}]',
    'curl: pkg.instaled',
    '',
  ].join('\n');
  const found = (await complaints('states', text)).toSorted();
  t.deepEqual(
    found.map((line) => line.replace(/: .*$/u, '')),
    ['10', '11', '11', '12', '2', '6', '7', '8'],
  );
  t.true(found.includes('2: Property file.managd is not allowed.'));
  t.true(found.includes('6: Property contnts is not allowed.'));
  t.true(found.includes('7: Incorrect type. Expected "boolean".'));
  t.true(found.some((line) => line.startsWith('8: Not taken: facts are named')));
  t.true(found.includes('10: Missing property "target".'));
  t.true(found.includes('11: Property fil is not allowed.'));
  t.true(found.some((line) => line.startsWith('12: Value is not accepted.')));
});

test('an expression may stand anywhere', async (t) => {
  const text = [
    'each: "{{ pillar.sites }}"',
    'as: [name, site]',
    '"{{ name }} file":',
    '  file.managed:',
    '    name: "/srv/{{ name }}"',
    '    makedirs: "{{ site.makedirs }}"',
    '    mode: "{{ site.mode }}"',
    '    require: ["{{ name }} packages"]',
    '    retry: {attempts: "{{ site.attempts }}"}',
    '"{{ name }} packages":',
    '  pkg.installed:',
    '    pkgs: "{{ site.packages }}"',
    '  service.running: "{{ site.service }}"',
    '',
  ].join('\n');
  t.deepEqual(await complaints('states', text), []);
});

for (const folder of ['states', 'pillars']) {
  test(`nothing is wrong with the shipped ${folder}`, async (t) => {
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const files = paths.filter((path) => path.endsWith('.yaml'));
    t.true(files.length > 1);
    for (const path of files) {
      const text = readFileSync(join(folder, path), 'utf8');
      const found = await server.open(`file://${root}/${folder}/${path}`, text);
      t.deepEqual(found, [], path);
    }
  });
}

test("nothing is wrong with Salt's state files", async (t) => {
  const folder = 'test/tree/salt/states';
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => path.endsWith('.sls'));
  t.true(files.length >= 100);
  for (const path of files) {
    const written = readFileSync(join(folder, path), 'utf8').replaceAll(
      /: (?:yes|on)$/gmu,
      ': true',
    );
    // An argument without a value is Salt's way only: elsewhere it is a mistake.
    const text = written.replaceAll(/^ +- cwd:\n/gmu, '');
    t.deepEqual(await server.open(`file://${root}/states/salt/${path}`, text), [], path);
  }
});

test('nothing is wrong with the example of any state type', async (t) => {
  for (const { name, example } of stateTypes.values()) {
    t.deepEqual(await complaints('states', example), [], name);
  }
});
