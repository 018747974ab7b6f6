import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Argv } from '../hosts/command.ts';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import {
  apply,
  attempt,
  invite,
  openSite,
  publish,
  sh,
  statusOf,
  TREE,
  until,
  untilOnline,
} from './installed-hosts.ts';
import type { Site } from './installed-hosts.ts';
import { differences, manifest } from './watch.ts';

/** Mistakes of all kinds: each gives one message with its place and its exit code, and no host is touched. */

const onHosts = await testOnHosts(test);
let site: Site;
let conductor: Host;
let appserver: Host;

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

const BROKEN = 'test/tree/broken';

/** What is asked, how it ends, and what is said of it. */
interface Mistake {
  readonly argv: Argv;
  readonly exitCode: number;
  readonly says: RegExp;
  readonly input?: string;
}

/** One message, no stack, the exit code that `--help` promises. */
async function isRefused(t: ExecutionContext, host: Host, mistake: Mistake): Promise<void> {
  const { argv, exitCode, says, input = '' } = mistake;
  const done = await attempt(host, argv, { input });
  const title = `${argv.join(' ')}\n${done.output}`;
  t.is(done.exitCode, exitCode, title);
  t.regex(done.stderr, says, title);
  t.is(done.stderr.match(/^error: /gmu)?.length, 1, title);
  t.notRegex(done.output, /^\s+at .*:\d+:\d+\)?$/mu, title);
}

/** Does something that must leave the app server as it is. */
async function untouched(t: ExecutionContext, act: () => Promise<void>): Promise<void> {
  const before = await manifest(appserver);
  await act();
  const changed = differences(before, await manifest(appserver));
  // What the agent keeps of jobs and keys is its own.
  t.deepEqual(
    changed.filter((line) => !line.startsWith('/var/lib/conductor/minion')),
    [],
  );
}

onHosts('two hosts join a master', async (t) => {
  t.timeout(600_000);
  site = await openSite((line) => t.log(line));
  ({ conductor, appserver } = site);
  t.is((await apply(site, 'appserver')).exitCode, 0);
  for (const host of [conductor, appserver]) await host.copyIn(BROKEN, '/root/broken');
});

/** Found without a minion; the others only for one. */
const FOR_ALL = [
  '02-top-names-a-missing-file',
  '08-pillar-top-trusts-facts',
  '18-yaml-tab',
  '27-unquoted-expression',
  '31-unknown-state-type',
  '41-command-without-a-guard',
  '52-template-syntax',
];
const FOR_ONE = [
  '12-pillar-refers-to-a-later-value',
  '44-duplicate-id-in-two-files',
  '48-cycle',
  '54-undefined-in-a-template',
];

function firstLine(name: string): string {
  return readFileSync(`${BROKEN}/${name}/expect.txt`, 'utf8').split('\n')[0] ?? '';
}

onHosts('a mistake in a tree is told with its place before any host is touched', async (t) => {
  t.true(readdirSync(BROKEN).length >= 40);
  await untouched(t, async () => {
    for (const name of FOR_ALL) {
      const lint = await attempt(conductor, [
        'master',
        'lint',
        '--tree',
        `/root/broken/${name}/tree`,
      ]);
      t.is(lint.exitCode, 4, name);
      t.true(lint.stderr.includes(firstLine(name)), `${name}\n${lint.stderr}`);
    }
    for (const name of [...FOR_ALL, ...FOR_ONE]) {
      const tree = `/root/broken/${name}/tree`;
      const own = ['--id', 'web1', '--state-directory', '/var/lib/conductor/minion/web1'];
      const minion = [...own, '--group', 'web', '--tree', tree];
      const applied = await attempt(appserver, ['minion', 'apply', ...minion]);
      t.is(applied.exitCode, 4, `${name}\n${applied.output}`);
      t.true(applied.output.includes(firstLine(name)), `${name}\n${applied.output}`);
    }
  });
});

onHosts('a tree with a mistake is not published, and is told to whoever applies it', async (t) => {
  const good = await statusOf(site);
  const path = `${TREE}/states/common.yaml`;
  const content = await conductor.read(path);
  await untouched(t, async () => {
    await conductor.write(path, '/etc/motd:\n  file.managed:\n    content: x\n');
    await until('the mistake to be seen', 20, async () => (await statusOf(site)).broken !== null);
    await isRefused(t, conductor, {
      argv: ['master', 'apply', '--target', 'appserver'],
      exitCode: 4,
      says: /states\/common\.yaml:3:5: .*"content"[\s\S]*did you mean "contents"/u,
    });
  });
  t.deepEqual((await statusOf(site)).revision, good.revision);
  await conductor.write(path, content);
  await until('the mistake to be gone', 20, async () => (await statusOf(site)).broken === null);
});

onHosts('a mistake that only a minion can have ends its run before the first state', async (t) => {
  const good = 'web:\n  title: First\n  version: 1\n';
  for (const [file, content, place] of [
    ['pillars/web.yaml', 'web:\n  version: "{{ minion.nmae }}"\n', 'pillars/web.yaml:2'],
    ['pillars/web.yaml', 'web:\n  version: 1\n', 'states/web.yaml:'],
  ] as const) {
    await untouched(t, async () => {
      await publish(site, file, content);
      const { exitCode, targets, outcomes } = await apply(site, 'appserver');
      t.is(exitCode, 4);
      t.is(targets[0]?.state, 'failed');
      t.is(targets[0]?.error?.code, 'TREE_INVALID');
      t.true(targets[0]?.error?.message.includes(place), targets[0]?.error?.message);
      t.deepEqual(outcomes, []);
    });
    await publish(site, file, good);
  }
  t.is((await apply(site, 'appserver')).targets[0]?.state, 'ok');
});

onHosts('a mistake in the configuration of the master is told with its place', async (t) => {
  const path = '/etc/conductor/master.d/site.yaml';
  await conductor.write(path, '# where minions connect\nlistn: 0.0.0.0:4510\nlog_level: loud\n');
  for (const argv of [
    ['master', 'serve'],
    ['master', 'status'],
  ] as const)
    await isRefused(t, conductor, {
      argv,
      exitCode: 1,
      says: /(?=[\s\S]*site\.yaml:2:1: .*"listn", did you mean "listen")(?=[\s\S]*site\.yaml:3:1: log_level: )/u,
    });
  await conductor.exec(['rm', path]);
  await isRefused(t, conductor, {
    argv: ['env', 'CONDUCTOR_MASTER_LISTEN=nowhere', 'master', 'status'],
    exitCode: 1,
    says: /CONDUCTOR_MASTER_LISTEN.*expected an address and a port/u,
  });
});

onHosts(
  'a mistake in the configuration of a minion keeps its agent from starting, once',
  async (t) => {
    const path = '/etc/conductor/minion.d/site.yaml';
    await appserver.write(path, 'refresh:\n  every: daily\n');
    const says = /site\.yaml:2:3: refresh\.every: expected a duration/u;
    await isRefused(t, appserver, { argv: ['minion', 'config'], exitCode: 1, says });
    const restart = await attempt(appserver, ['systemctl', 'restart', 'conductor-minion']);
    t.not(restart.exitCode, 0);
    t.regex(await sh(appserver, 'journalctl -u conductor-minion -n 20 --no-pager'), says);
    t.is(await sh(appserver, 'systemctl is-failed conductor-minion'), 'failed');
    await appserver.exec(['rm', path]);
    await appserver.exec(['systemctl', 'restart', 'conductor-minion']);
    await untilOnline(site, ['appserver']);
  },
);

const COMMAND_LINES: readonly (readonly [argv: Argv, exitCode: number, says: RegExp])[] = [
  [['master', 'aply'], 1, /unknown command 'aply'[\s\S]*apply/u],
  [['master', 'apply'], 1, /required option '-t, --target <target>' not specified/u],
  [['master', 'apply', '-t', 'web', '--dryrun'], 1, /unknown option '--dryrun'[\s\S]*--dry-run/u],
  [['master', 'apply', '-t', 'web and'], 1, /Cannot read target "web and": a target is missing/u],
  [['master', 'apply', '-t', 'web', '--timeout', 'soon'], 1, /"soon".*write 90s/u],
  [['master', 'apply', '-t', 'web', '--set', 'version'], 1, /--set "version": write NAME=VALUE/u],
  [['master', 'facts', 'apserver'], 1, /"apserver"/u],
  [['master', 'pillar', 'show', 'apserver'], 1, /"apserver"/u],
  [
    ['master', 'pillar', 'show', 'appserver', '--why', 'web.titel'],
    1,
    /did you mean "web\.title"/u,
  ],
  [['master', 'show', 'apserver'], 1, /"apserver"/u],
  [['master', 'jobs', 'show', 'ffff'], 1, /"ffff"/u],
  [['master', 'docs', 'file.manged'], 1, /did you mean "file\.managed"/u],
  [['master', 'seal'], 1, /standard input is empty/u],
  [['master', 'keys', 'accept', 'nobody'], 1, /"nobody"/u],
  [['master', 'keys', 'invite', '--expires', 'never'], 1, /"never"/u],
  [
    ['master', 'status', '--socket', '/run/nothing.sock'],
    3,
    /Cannot reach the master at "\/run\/nothing\.sock"/u,
  ],
  [['minion', 'aply'], 1, /unknown command 'aply'/u],
  [['minion', 'apply'], 1, /required option '--tree <directory>' not specified/u],
  [['minion', 'apply', '--tree', '/nowhere'], 1, /"\/nowhere": there is no such directory/u],
  [['master', 'apply', '-t', 'appserver', 'wbe'], 1, /no state file of that name.*"web"/u],
  [['minion', 'agent', '--id', 'Not An Id'], 1, /is not a minion id/u],
];

onHosts('a mistake on a command line is told in one message', async (t) => {
  await untouched(t, async () => {
    for (const [argv, exitCode, says] of COMMAND_LINES)
      await isRefused(t, conductor, { argv, exitCode, says });
    const flags = ['web', '--set', 'nope=1'] as const;
    const { exitCode, targets, outcomes } = await apply(site, 'appserver', ...flags);
    t.is(exitCode, 4);
    t.true(targets[0]?.error?.message.includes('declares the param "nope"'));
    t.deepEqual(outcomes, []);
  });
});

onHosts('a join string that is no good changes nothing on the minion', async (t) => {
  const good = await invite(site, 'sixth');
  const [head = '', fingerprint = ''] = good.split('#');
  const id = ['--id', 'sixth', '--state-directory', '/var/lib/sixth'];
  const flipped = `${fingerprint.slice(0, -2)}${fingerprint.at(-2) === 'a' ? 'b' : 'a'}${fingerprint.at(-1)}`;
  const secret = /^cdr1join\.[^.]+\.([^@]+)@/u.exec(good)?.[1] ?? '';
  for (const [input, exitCode, says] of [
    ['', 1, /Cannot read the join string: nothing was given/u],
    ['hello', 1, /does not start with "cdr1join\."/u],
    [head, 1, /fingerprint/u],
    [good.slice(0, -8), 1, /fingerprint of a root key \(was it cut off\?\)/u],
    [good.replace(secret, secret.slice(1)), 1, /its secret is damaged/u],
    [good.replace(/@[^#]+#/u, '@conductor:99999#'), 1, /"conductor:99999" is no host:port/u],
    [good.replace(/@[^#]+#/u, '@conductor:4999#'), 3, /conductor:4999/u],
    [`${head}#${flipped}`, 3, /Cannot complete the handshake/u],
    [good.replace(secret, 'A'.repeat(43)), 5, /Cannot join as "sixth"/u],
  ] as const)
    await isRefused(t, conductor, { argv: ['minion', 'join', ...id], exitCode, says, input });
  await isRefused(t, conductor, {
    argv: ['minion', 'join', ...id, good],
    exitCode: 1,
    says: /Cannot take a join string from the command line/u,
  });
  t.is(await sh(conductor, 'ls /var/lib/sixth/master.json 2>/dev/null || true'), '');
  const keys = await conductor.exec(['master', 'keys', 'list']);
  t.false(keys.stdout.includes('sixth'));
});
