import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { serveApp } from '../../demo/hosts.ts';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import type { Fleet } from '../hosts/hosts.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { untilOnline } from './installed-hosts.ts';
import { ensurePackage } from './package.ts';

/**
 * The manual, read from beginning to end by somebody who types every command of its `console` blocks on the host that
 * the prompt names, and puts every `yaml` block that begins with the name of a file into the tree.
 */

/** In the order in which a newcomer reads. */
const PAGES = [
  'first-host',
  'first-eknight',
  'writing-states',
  'secrets',
  'operating',
  'editors',
  'troubleshooting',
];
const PROMPT = /^root@(?<host>[\w-]+):~# (?<command>.+)$/;
/** Without a terminal, a reader's own join string is typed for them. */
const JOIN_STRING = /^cdr1join\.\S+$/m;

const onHosts = await testOnHosts(test);
let fleet: Fleet | null = null;
let site: { readonly conductor: Host; readonly appserver: Host };
let joinString = '';

test.after.always(async () => fleet?.close());

interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(`docs/${page}.md`, 'utf8');
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
    language,
    lines: body.trimEnd().split('\n'),
  }));
}

/** Types one command; throws, with what it said, unless it exits with 0. */
async function type(line: string): Promise<void> {
  const { host: name, command } = PROMPT.exec(line)?.groups ?? {};
  const host = name === 'conductor' ? site.conductor : site.appserver;
  if (command === undefined || name !== host.name)
    throw new Error(`no prompt of a host: "${line}"`);
  const input = command === 'minion join' ? `${joinString}\n` : '';
  const { stdout } = await host.exec(['/bin/bash', '-c', command], {
    input,
    cwd: '/root',
    timeoutMs: 600_000,
  });
  joinString = JOIN_STRING.exec(stdout)?.[0] ?? joinString;
  if (command === 'systemctl enable --now conductor-minion') await untilOnline(site, [host.name]);
}

/** `# states/motd.yaml` at the top of a block says where it belongs. */
async function put({ lines }: Block): Promise<void> {
  const path = /^# ((?:states|pillars)\/\S+\.yaml)$/.exec(lines[0] ?? '')?.[1];
  if (path !== undefined)
    await site.conductor.write(`/srv/conductor/${path}`, `${lines.join('\n')}\n`);
}

test('every page with commands is read', (t) => {
  const names = readdirSync('docs').filter((name) => name.endsWith('.md'));
  const pages = names.map((name) => name.slice(0, -'.md'.length));
  const withCommands = pages.filter((page) =>
    blocksOf(page).some(({ language }) => language === 'console'),
  );
  t.deepEqual(withCommands.toSorted(), PAGES.toSorted());
});

onHosts('boots what the manual starts from: two bare Debian hosts and a package', async (t) => {
  t.timeout(600_000);
  fleet = await openFleet({ log: t.log });
  const [deb, conductor, appserver] = await Promise.all([
    ensurePackage(),
    fleet.boot({ name: 'conductor', image: 'full' }),
    fleet.boot({ name: 'appserver', image: 'full' }),
  ]);
  site = { conductor, appserver };
  for (const host of [conductor, appserver]) await host.copyIn(deb, '/root/conductor_0_amd64.deb');
  await serveApp(site);
  t.true(conductor.isOn && appserver.isOn);
});

for (const page of PAGES) {
  onHosts(`docs/${page}.md does what it says`, async (t) => {
    t.timeout(900_000);
    for (const block of blocksOf(page)) {
      if (block.language === 'yaml') await put(block);
      if (block.language !== 'console') continue;
      for (const line of block.lines) {
        await t.notThrowsAsync(type(line), line);
      }
    }
  });
}

onHosts('who has read all of it has a machine that is as it should be', async (t) => {
  const { stdout } = await site.conductor.exec([
    'master',
    'apply',
    '--target',
    'appserver',
    '--json',
  ]);
  t.regex(stdout, /"status":"ok"/);
});
