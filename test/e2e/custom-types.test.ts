import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { stateTypesOf } from '../../minion/custom-types/load.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { treeOf } from '../helpers/tree.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { loadCases } from './contract/case.ts';
import { examineTypes } from './contract/run-types.ts';
import { apply, attempt, openSite, publish, sh, statusOf, TREE, until } from './installed-hosts.ts';
import type { Site } from './installed-hosts.ts';

/** State types that a tree brings along: the contract, and the way from an author's file to a minion. */

const onHosts = await testOnHosts(test);
const FIXTURES = 'test/state-types/_types';
const FILES = {
  'states/_types/motd.ts': readFileSync(`${FIXTURES}/motd.ts`, 'utf8'),
  'states/_types/lib/motd.ts': readFileSync(`${FIXTURES}/lib/motd.ts`, 'utf8'),
};
let site: Site;

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the test that opens it was skipped or has failed
});

function from(path: string): string {
  return JSON.stringify(resolve(path));
}

/** A driver that holds the tree's types as a run would: loaded from their sources. */
function driverIn(directory: string): string {
  const entry = join(directory, 'driver.ts');
  writeFileSync(
    entry,
    `import { stateTypesOf } from ${from('minion/custom-types/load.ts')};
import { stateTypes } from ${from('minion/state-types/index.ts')};
import { treeOf } from ${from('test/helpers/tree.ts')};
import { serve } from ${from('test/e2e/contract/serve.ts')};

await serve(await stateTypesOf(treeOf(${JSON.stringify(FILES)}), stateTypes));
`,
  );
  return entry;
}

onHosts('a state type of the tree keeps the contract', async (t) => {
  t.timeout(600_000);
  const all = await stateTypesOf(treeOf(FILES), stateTypes);
  const own = new Map([...all].filter(([name]) => !stateTypes.has(name)));
  t.deepEqual([...own.keys()], ['motd.present', 'motd.absent']);
  const directory = mkdtempSync(resolve('build/custom-'));
  try {
    const { rows, ended } = examineTypes({
      types: own,
      cases: loadCases('test/state-types/_custom'),
      entry: driverIn(directory),
      hosts: 1,
      log: () => undefined,
    });
    for (const [name, row] of rows) t.deepEqual((await row).complaints, [], name);
    await ended;
  } finally {
    rmSync(directory, { recursive: true });
  }
});

onHosts('an author writes one into the tree, and minions have it', async (t) => {
  t.timeout(900_000);
  site = await openSite((line) => t.log(line));
  const { conductor, appserver } = site;
  for (const [path, text] of Object.entries(FILES)) await conductor.write(`${TREE}/${path}`, text);
  await publish(site, 'states/greeting.yaml', 'Welcome:\n  motd.present: {text: to the web}\n');

  const manual = await attempt(conductor, ['master', 'docs', 'motd.present']);
  t.is(manual.exitCode, 0, manual.output);
  t.regex(manual.stdout, /One line of the message/);
  t.regex(manual.stdout, /What the line begins with/);

  const plan = await apply(site, 'appserver', '--dry-run', 'greeting');
  t.deepEqual(
    plan.outcomes.map(({ type, status }) => [type, status]),
    [['motd.present', 'would-change']],
  );
  t.deepEqual(plan.outcomes[0]?.change, { action: 'create', to: { text: 'to the web' } });
  t.notRegex(await sh(appserver, 'cat /etc/motd || true'), /Welcome/);
  const made = await apply(site, 'appserver', 'greeting');
  t.deepEqual(
    made.outcomes.map(({ status }) => status),
    ['changed'],
  );
  t.regex(await sh(appserver, 'cat /etc/motd'), /^Welcome: to the web$/m);
  const again = await apply(site, 'appserver', 'greeting');
  t.deepEqual(
    again.outcomes.map(({ status }) => status),
    ['unchanged'],
  );
});

onHosts('a broken one is not published, and says where it is broken', async (t) => {
  const { conductor } = site;
  const before = await statusOf(site);
  const path = 'states/_types/motd.ts';
  const broken = FILES[path].replace('async function read(', 'async function read((');
  await conductor.write(`${TREE}/${path}`, broken);
  await until(
    'the tree to be found broken',
    30,
    async () => (await statusOf(site)).broken !== null,
  );
  const { broken: found, revision } = await statusOf(site);
  t.regex(found?.message ?? '', /^states\/_types\/motd\.ts:13:21: syntax error: /);
  t.deepEqual(revision, before.revision);
  const linted = await attempt(conductor, ['master', 'lint']);
  t.is(linted.exitCode, 4, linted.output);
  t.regex(linted.output, /states\/_types\/motd\.ts:13:21: syntax error: /);
  await conductor.write(`${TREE}/${path}`, FILES[path]);
  await until('the tree to be whole', 30, async () => (await statusOf(site)).broken === null);
});

onHosts('a minion that is cut off has them too', async (t) => {
  const { conductor, appserver } = site;
  await publish(site, 'states/top.yaml', 'base:\n  "*": [greeting]\n');
  const first = await apply(site, 'appserver');
  t.deepEqual(
    first.outcomes.map(({ status }) => status),
    ['unchanged'],
  );
  await conductor.exec(['systemctl', 'stop', 'conductor-master']);
  await sh(appserver, 'sed -i /Welcome/d /etc/motd');
  const { exitCode, output } = await attempt(appserver, ['minion', 'agent', '--refresh-now']);
  t.is(exitCode, 0, output);
  t.regex(await sh(appserver, 'cat /etc/motd'), /^Welcome: to the web$/m);
});
