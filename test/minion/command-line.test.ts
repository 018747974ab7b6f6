import test from 'ava';
import type { ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { minionAtRest } from '../../minion/agent/identity.ts';
import { holdStateDirectory } from '../../minion/agent/agent-lock.ts';
import { runResident } from '../../minion/agent/resident.ts';
import { askAgent, listenLocally } from '../../minion/agent/local-socket.ts';
import type { LocalParts } from '../../minion/agent/local-socket.ts';
import { notifyReady } from '../../minion/agent/notify.ts';
import { writeTrust } from '../../minion/agent/trust.ts';
import { exitCodeOfReport } from '../../minion/commands/render.ts';
import { realTerminal } from '../../minion/commands/terminal.ts';
import { readConfig } from '../../minion/config.ts';
import { runCommandLine } from '../../minion/program.ts';
import { contentsDirectory, openContents } from '../../minion/engine/drift/contents.ts';
import { programsBeside } from '../../minion/programs.ts';
import { startAgent } from '../../minion/agent/start.ts';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { makeCertificate } from '../../protocol/certificate.ts';
import { acceptMinion } from '../../protocol/connect.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { formatJoinString } from '../../protocol/join-string.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import type { Verdict } from '../../protocol/verdict.ts';
import { reportSchema } from '../../protocol/report.ts';
import type { Report } from '../../protocol/report.ts';
import { createKeyFile } from '../../protocol/key-files.ts';
import { seal, sealingKey } from '../../protocol/seal.ts';
import { VERSION } from '../../shared/version.ts';
import { createLogger } from '../../shared/log.ts';

/** The programs as they stand in the build that these tests run from. */
const programs = programsBeside(new URL('../../minion/main.js', import.meta.url).href);
const silentLog = createLogger({ name: 'test', level: 'error', write: () => undefined });

interface Place {
  readonly root: string;
  readonly state: string;
  readonly flags: readonly string[];
}

function place(): Place {
  const root = mkdtempSync(join(tmpdir(), 'conductor-minion-'));
  const state = join(root, 'state');
  mkdirSync(state, { mode: 0o700 });
  const flags = ['--id', 'web-01', '--state-directory', state, '--socket', join(root, 'sock')];
  return { root, state, flags };
}

/** Runs the command line; gives what it printed and its exit code. */
async function minion(words: readonly string[], { input = '', environment = {} } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCommandLine(words, {
    terminal: {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      print: (content) => void out.push(Buffer.from(content).toString('utf8')),
      color: false,
      input: () => Promise.resolve(input),
      environment,
    },
    programs,
    signal: new AbortController().signal,
  });
  return { exitCode, out: out.join('\n'), err: err.join('\n') };
}

test('help shows the commands and the exit codes; the version is that of package.json', async (t) => {
  const help = await minion(['--help']);
  t.is(help.exitCode, 0);
  for (const command of [
    'agent',
    'apply',
    'facts',
    'join',
    'fingerprint',
    'status',
    'owed',
    'drift',
  ])
    t.regex(help.out, new RegExp(`^  ${command}`, 'mu'));
  t.regex(help.out, /130 {2}interrupted[^]*the worst counts: 4 before 2, then 5, then 3/u);
  const packageJson: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
  t.like(packageJson, { version: VERSION });
  t.is((await minion(['--version'])).out, VERSION);
});

test('a mistyped command, option or configuration is told with what was meant, and exits with 1', async (t) => {
  const command = await minion(['aply']);
  t.is(command.exitCode, 1);
  t.regex(command.err, /unknown command 'aply'[^]*apply/u);
  const option = await minion(['status', '--sokcet', 'x']);
  t.is(option.exitCode, 1);
  t.regex(option.err, /--socket/u);
  const config = await minion(['status', '--config', '/nonexistent/minion.yaml']);
  t.is(config.exitCode, 1);
  t.regex(config.err, /^error: Cannot read ".*": there is no such file$/u);
  const level = await minion(['config', '--log-level', 'loud']);
  t.regex(level.err, /--log-level: log_level: Invalid option/u);
});

test('a join string on the command line is refused, and not repeated', async (t) => {
  const { flags } = place();
  const { exitCode, err } = await minion(['join', ...flags, 'cdr1join.SECRET.SECRET@h:1#x']);
  t.is(exitCode, 1);
  t.regex(err, /where others can read it/u);
  t.notRegex(err, /SECRET/u);
});

const rootFingerprint = fingerprintOf(
  nodeCrypto,
  nodeCrypto.signingKey(new Uint8Array(32)).publicKey,
);

const joinString = formatJoinString({
  tokenId: new Uint8Array(16),
  secret: new Uint8Array(32).fill(7),
  address: '127.0.0.1:1',
  rootFingerprint,
});

test('joining tells what is wrong with the string, the file, the master, or an earlier master', async (t) => {
  const { root, state, flags } = place();
  const nonsense = await minion(['join', ...flags], { input: 'hello' });
  t.is(nonsense.exitCode, 1);
  t.regex(nonsense.err, /does not start with "cdr1join\."/u);
  const missing = await minion(['join', ...flags, '--file', join(root, 'none')]);
  t.regex(missing.err, /Cannot read the join string from/u);
  const away = await minion(['join', ...flags], { input: joinString });
  t.is(away.exitCode, 3);
  t.regex(away.err, /Cannot reach the master at "ws:\/\/127\.0\.0\.1:1\/minion"/u);
  t.false(existsSync(join(state, 'master.json')));

  const other = fingerprintOf(
    nodeCrypto,
    nodeCrypto.signingKey(new Uint8Array(32).fill(1)).publicKey,
  );
  writeTrust(state, { pin: other, serial: 1n, masters: ['a:1'] }, silentLog);
  const twice = await minion(['join', ...flags], { input: joinString });
  t.is(twice.exitCode, 5);
  t.regex(twice.err, /belongs to the master cdr1:.*remove ".*master\.json" to leave it/u);
});

/** A master on a port of its own that gives one verdict after the other, and keeps who brought a string. */
async function masterThatSays(t: ExecutionContext, verdicts: readonly Verdict[], rootSeed = 0) {
  const root = nodeCrypto.signingKey(new Uint8Array(32).fill(rootSeed));
  const identity = nodeCrypto.signingKey(new Uint8Array(32).fill(9));
  const certificate = makeCertificate(nodeCrypto, root, identity.publicKey, 1n);
  const withString: boolean[] = [];
  const failures: unknown[] = [];
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    acceptMinion(wireOf(socket), {
      crypto: nodeCrypto,
      certificate,
      identity,
      decide: ({ join: brought }) => {
        withString.push(brought !== null);
        return verdicts[withString.length - 1] ?? { verdict: 'denied' };
      },
    }).catch((error: unknown) => failures.push(error));
  });
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const master = `127.0.0.1:${port}`;
  const { state, flags } = place();
  const join = (): ReturnType<typeof minion> =>
    minion(['join', ...flags, '--master', master], { input: joinString });
  return { join, master, state, flags, withString, failures };
}

test('a minion joins once; a second string is not used while its key is accepted', async (t) => {
  const said: readonly Verdict[] = [
    { verdict: 'accepted' },
    { verdict: 'accepted' },
    { verdict: 'pending' },
    { verdict: 'accepted' },
  ];
  const { join, withString } = await masterThatSays(t, said);
  t.regex((await join()).out, /^"web-01" \(cdr1:.*\) has joined the master at 127\.0\.0\.1:\d+$/u);
  const again = await join();
  t.is(again.exitCode, 0);
  t.regex(again.out, /is a minion of the master at .* already: the string was not used/u);
  t.regex(again.out, /master keys accept web-01 --group GROUP/u);
  t.regex((await join()).out, /has joined/u, 'its key was deleted');
  t.deepEqual(withString, [true, false, false, true]);
});

test('a running agent that is connected is not disturbed by a string; one that waits is woken', async (t) => {
  const said: readonly Verdict[] = [{ verdict: 'pending' }, { verdict: 'accepted' }];
  const { join, master, state, flags, withString } = await masterThatSays(t, said);
  writeTrust(state, { pin: rootFingerprint, serial: 1n, masters: [master] }, silentLog);
  const asked: string[] = [];
  let isConnected = true;
  const server = await listenLocally({
    path: flags.at(-1) ?? '',
    log: silentLog,
    answer: (request, caller) => {
      asked.push(request.ask);
      caller.write(JSON.stringify({ isConnected, isReconnecting: true }));
      caller.end();
    },
  });
  t.teardown(() => server.close());
  t.regex((await join()).out, /already: the string was not used/u);
  t.deepEqual(withString, [], 'the master was not asked');
  isConnected = false;
  t.regex((await join()).out, /has joined[^]*its agent connects now$/u);
  t.deepEqual(asked, ['status', 'status', 'reconnect']);
});

test('a join string of another master is told as such', async (t) => {
  const { join } = await masterThatSays(t, [], 5);
  const { exitCode, err } = await join();
  t.not(exitCode, 0);
  t.regex(err, /the join string is of another master .*its root key differs.* address is wrong/u);
});

test('the fingerprint is the same each time, and the key is in nobody else’s reach', async (t) => {
  const { state, flags } = place();
  const first = await minion(['fingerprint', ...flags]);
  t.regex(first.out, /^cdr1:[a-z2-7]{52}$/u);
  t.is((await minion(['fingerprint', ...flags])).out, first.out);
  const { fingerprint }: { fingerprint?: unknown } = JSON.parse(
    (await minion(['fingerprint', ...flags, '--json'])).out,
  );
  t.is(fingerprint, first.out);
  chmodSync(join(state, 'keys/minion.key'), 0o644);
  const wide = await minion(['fingerprint', ...flags]);
  t.is(wide.exitCode, 1);
  t.regex(wide.err, /mode 0644 lets others in/u);
});

test('facts are printed for people and for programs, all or by name', async (t) => {
  const all: unknown = JSON.parse((await minion(['facts', '--json'])).out);
  t.like(all, { cpus: (await import('node:os')).availableParallelism() });
  t.regex((await minion(['facts', 'kernel'])).out, /^kernel: \S+$/u);
  const mistyped = await minion(['facts', 'kernel', 'kernl']);
  t.is(mistyped.exitCode, 1);
  t.is(mistyped.out, '');
  t.regex(mistyped.err, /Cannot print the fact "kernl": there is none, did you mean "kernel"\?/u);
});

test('without an agent the status says so, and exits with 3', async (t) => {
  const { exitCode, out } = await minion(['status', ...place().flags]);
  t.is(exitCode, 3);
  t.is(out, 'is running: no\nminion: web-01\npaused: no\nrun: none');
});

test('the status names the run that is under way once, also while it waits for its files', async (t) => {
  const { flags } = place();
  let running: string | null = null;
  const server = await listenLocally({
    path: flags.at(-1) ?? '',
    log: silentLog,
    answer: (_request, caller) => {
      caller.write(JSON.stringify({ minion: 'web-01', running, paused: null }));
      caller.end();
    },
  });
  t.teardown(() => server.close());
  const status = async () => (await minion(['status', ...flags])).out;
  t.is(await status(), 'is running: yes\nminion: web-01\npaused: no\nrun: none');
  running = '0190';
  t.regex(await status(), /^paused: no\nrun: job 0190 \(about to begin, or just ended\)$/mu);
});

test('what is owed is printed with whose change it answers and since when', async (t) => {
  const { state, flags } = place();
  t.is((await minion(['owed', ...flags])).out, 'nothing is owed');
  const owed = [
    {
      key: 'service.running|web|web',
      kind: 'watch',
      because: 'file.managed|config|/etc/web.conf',
      since: '2026-01-01T00:00:00.000Z',
    },
  ];
  const path = join(state, 'owed.json');
  writeFileSync(path, JSON.stringify({ version: 1, isLost: false, owed }));
  t.is(
    (await minion(['owed', ...flags])).out,
    'service.running web: watch of file.managed config (/etc/web.conf), since 2026-01-01T00:00:00.000Z',
  );
  t.deepEqual(JSON.parse((await minion(['owed', '--json', ...flags])).out), { owed });
  writeFileSync(path, '{');
  const broken = await minion(['owed', ...flags]);
  t.is(broken.exitCode, 1);
  t.regex(broken.err, /^error: Cannot tell what is owed: .* the next run makes every reaction/u);
  t.is(readFileSync(path, 'utf8'), '{');
});

test('what a file held before drift was taken back is printed by its hash', async (t) => {
  const { state, flags } = place();
  const atRest = await minionAtRest(nodeCrypto, state);
  const kept = openContents(contentsDirectory(state), atRest).keep(Buffer.from('by hand\n'));
  const hash = 'kept' in kept ? kept.kept : '';
  const shown = await minion(['drift', 'show', hash.slice(0, 8), ...flags]);
  t.deepEqual([shown.exitCode, shown.out], [0, 'by hand\n']);
  const none = await minion(['drift', 'show', 'f'.repeat(64), ...flags]);
  t.is(none.exitCode, 1);
  t.regex(none.err, /Cannot show "f+": it is not kept, or no longer/u);
  const wrong = await minion(['drift', 'show', '../owed.json', ...flags]);
  t.is(wrong.exitCode, 1);
  t.regex(wrong.err, /Cannot show "\.\.\/owed\.json": write the hash as a report has it/u);
});

test('the configuration is printed with every default filled in', async (t) => {
  const { flags } = place();
  const { out } = await minion(['config', '--json', ...flags], {
    environment: { CONDUCTOR_MINION_MASTER: 'a:1' },
  });
  t.like(JSON.parse(out), { id: 'web-01', master: ['a:1'], refresh: { every: 86_400 } });
});

function treeAt({ root }: Place, states: string, pillar = 'name: world\n'): string {
  const tree = join(root, 'tree');
  for (const folder of ['states', 'pillars']) mkdirSync(join(tree, folder), { recursive: true });
  writeFileSync(join(tree, 'states/top.yaml'), 'base:\n  "*": [base]\n');
  writeFileSync(join(tree, 'pillars/top.yaml'), 'base:\n  appserver: [all]\n');
  writeFileSync(join(tree, 'states/base.yaml'), states);
  writeFileSync(join(tree, 'pillars/all.yaml'), pillar);
  return tree;
}

test('a tree is applied without a master; a dry run writes nothing, a second run changes nothing', async (t) => {
  const here = place();
  const file = join(here.root, 'greeting');
  const tree = treeAt(
    here,
    `params: {sign: {default: "."}}\n${file}:\n  file.managed:\n    contents: "hello {{ pillar.name }}{{ params.sign }}\\n"\n`,
  );
  const words = ['apply', '--tree', tree, '--group', 'appserver', ...here.flags];
  const dry = await minion([...words, '--dry-run']);
  t.is(dry.exitCode, 0, dry.err);
  t.regex(dry.out, /would-change[^]*\+hello world\.[^]*1 would change/u);
  t.deepEqual(readdirSync(here.state), []);
  t.false(existsSync(file));

  const real = await minion(words);
  t.is(real.exitCode, 0, real.err);
  t.is(readFileSync(file, 'utf8'), 'hello world.\n');
  t.regex((await minion(words)).out, /^web-01 {2}ok {2}1 state: 1 unchanged/u);
  t.false(existsSync(join(here.state, 'spool')), 'there is no master to report to');

  const again = await minion([...words, '--set', 'sign=!', '--json', 'base']);
  t.is(reportSchema.parse(JSON.parse(again.out)).status, 'changed');
  t.is(readFileSync(file, 'utf8'), 'hello world!\n');
});

test('a group that no top file names is refused before anything is done', async (t) => {
  const here = place();
  const file = join(here.root, 'x');
  const tree = treeAt(here, `${file}:\n  file.managed:\n    contents: x\n`);
  const words = ['apply', '--tree', tree, ...here.flags, '--group'];
  const { exitCode, out } = await minion([...words, 'apserver']);
  t.is(exitCode, 1);
  t.regex(out, /no top file of the tree names this group, did you mean "appserver"\?/u);
  t.false(existsSync(file));
  writeFileSync(join(tree, 'states/top.yaml'), 'base:\n  "not (web or [db])": [base\n');
  t.is((await minion([...words, 'db'])).exitCode, 4, 'a broken top file is told as such');
  writeFileSync(join(tree, 'states/top.yaml'), 'base:\n  "web* and not (lab or [db])": [base]\n');
  t.is((await minion([...words, 'lab'])).exitCode, 5, 'nothing is for it');
});

test('a machine that has a master applies nothing in the name of another minion', async (t) => {
  const here = place();
  const tree = treeAt(here, 'nothing:\n  test.nop: []\n');
  const environment = {
    CONDUCTOR_MINION_ID: 'web-01',
    CONDUCTOR_MINION_STATE_DIRECTORY: here.state,
  };
  const apply = (...more: readonly string[]) =>
    minion(['apply', '--tree', tree, 'base', ...more], { environment });
  t.is((await apply('--id', 'web-02')).exitCode, 0, 'it has none yet');
  writeTrust(here.state, { pin: rootFingerprint, serial: 1n, masters: ['a:1'] }, silentLog);
  const { exitCode, err } = await apply('--id', 'web-02');
  t.is(exitCode, 1);
  t.regex(err, /Cannot apply as "web-02": this machine is the minion "web-01" of a master/u);
  t.false(existsSync(join(here.state, 'spool')));
  t.is((await apply('--id', 'web-02', '--dry-run')).exitCode, 0, 'which is told to nobody');
  t.is((await apply('--id', 'web-01')).exitCode, 0);
});

test('a tree with a mistake touches nothing and exits with 4, a state that fails with 2', async (t) => {
  const here = place();
  const file = join(here.root, 'x');
  const words = [
    'apply',
    '--tree',
    treeAt(here, `${file}:\n  file.managd:\n    contents: x\n`),
    ...here.flags,
  ];
  const broken = await minion(words);
  t.is(broken.exitCode, 4);
  t.regex(broken.out + broken.err, /states\/base\.yaml:2:3[^]*did you mean "?file\.managed"?/u);
  t.false(existsSync(file));

  treeAt(here, 'fails:\n  cmd.run:\n    name: "false"\n    always: true\n');
  const failing = await minion(words);
  t.is(failing.exitCode, 2);
  t.regex(failing.out, /! cmd\.run {2}fails \(false\) {2}failed/u);
  const nowhere = await minion(['apply', '--tree', join(here.root, 'none'), ...here.flags]);
  t.is(nowhere.exitCode, 1);
  const misspelt = await minion([...words, 'bse']);
  t.is(misspelt.exitCode, 1);
  t.regex(
    misspelt.err,
    /Cannot apply "bse": the tree has no state file of that name, did you mean "base"\?/u,
  );
  t.regex(nowhere.err, /there is no such directory/u);
  t.regex((await minion(['apply', ...here.flags])).err, /required option '--tree/u);
  t.is((await minion([...words, '--set', 'novalue'])).exitCode, 1);
  t.is((await minion([...words, '--set', 'a=[1'])).exitCode, 1);
  const soon = await minion([...words, '--timeout', '30']);
  t.is(soon.exitCode, 1);
  t.regex(soon.err, /Cannot read --timeout "30": write 90s/u);
  const long = await minion([...words, '--timeout', '8d']);
  t.is(long.exitCode, 1);
  t.regex(long.err, /Cannot read --timeout "8d": write 90s, 30m, 1h or 7d, and 7d at most/u);
  t.is((await minion([...words, '--timeout', '30m'])).exitCode, 2, 'as the state that fails');
});

test('a sealed value needs its key, and is never shown', async (t) => {
  const here = place();
  const keys = join(here.root, 'keys');
  const key = sealingKey(await createKeyFile(nodeCrypto, join(keys, 'sealing.key'), 'sealing'));
  const file = join(here.root, 'secret');
  const tree = treeAt(
    here,
    `${file}:\n  file.managed:\n    contents: "{{ pillar.password }}"\n`,
    `password: !sealed "${seal(key.publicKey, 'correct horse')}"\n`,
  );
  const words = ['apply', '--tree', tree, '--group', 'appserver', ...here.flags];
  const without = await minion(words);
  t.is(without.exitCode, 4);
  t.regex(without.err, /help: give --sealing-key FILE/u);
  t.notRegex(without.err, /seal the value anew/u);
  const { exitCode, out, err } = await minion([
    ...words,
    '--sealing-key',
    join(keys, 'sealing.key'),
  ]);
  t.is(exitCode, 0, err);
  t.is(readFileSync(file, 'utf8').trim(), 'correct horse');
  t.notRegex(out, /horse/u);
});

function code(status: Report['status'], error = ''): number {
  return exitCodeOfReport({ status, error: { code: error, message: '' } });
}

test('how a run ended decides the exit code', (t) => {
  t.deepEqual(
    [code('ok'), code('timeout'), code('expired'), code('cancelled'), code('failed')],
    [0, 3, 3, 130, 2],
  );
  t.is(code('failed', 'TREE_INVALID'), 4);
  t.is(code('failed', 'RUN_BUSY'), 5);
  t.is(code('failed', 'NOTHING_DECLARED'), 5);
});

test('programs are found beside the main script, in sources and in a bundle', (t) => {
  t.like(programsBeside('file:///opt/dist/minion.js'), { run: '/opt/dist/run.js' });
  t.like(programsBeside('file:///b/js/minion/main.js'), { run: '/b/js/minion/run/main.js' });
  t.truthy(realTerminal().environment);
});

test('two agents never work on one state directory, nor answer at one socket', async (t) => {
  const { root, state } = place();
  const lock = await holdStateDirectory(state);
  await t.throwsAsync(holdStateDirectory(state), { code: 'STATE_DIRECTORY_HELD' });
  lock.close();
  const path = join(root, 'run/sock');
  const parts = { path, log: silentLog, answer: () => undefined };
  const server = await listenLocally(parts);
  await t.throwsAsync(listenLocally(parts), { code: 'STATE_DIRECTORY_HELD' });
  server.close();
});

const answerLate: LocalParts['answer'] = (_request, caller) =>
  void setTimeout(() => caller.write('{}'), 4000);

test('an agent that has been stopped keeps nobody waiting; one that has heard may take long', async (t) => {
  const { root, state } = place();
  const lock = await holdStateDirectory(state);
  t.teardown(() => lock.close());
  const ask = async (socket: string, patienceMs: number) => {
    const agent = { socket, state_directory: state };
    for await (const line of askAgent(agent, { ask: 'refresh' }, { patienceMs })) return line;
    return null;
  };
  const stopped = createServer((socket) => socket.resume()).listen(join(root, 'stopped'));
  t.teardown(() => stopped.close());
  const message = new RegExp(`agent \\(pid ${process.pid}\\): it has not answered for 0.3 s`, 'u');
  await t.throwsAsync(ask(join(root, 'stopped'), 300), { code: 'MASTER_UNREACHABLE', message });
  const path = join(root, 'slow');
  const slow = await listenLocally({ path, log: silentLog, answer: answerLate });
  t.teardown(() => slow.close());
  t.is(await ask(path, 3000), '{}');
});

test('who no longer waits for an agent leaves what was asked for to it', async (t) => {
  const { root, state } = place();
  const asked: string[] = [];
  const path = join(root, 'slow');
  const leaving = new AbortController();
  const answer: LocalParts['answer'] = ({ ask }) => {
    asked.push(ask);
    leaving.abort();
  };
  const slow = await listenLocally({ path, log: silentLog, answer });
  t.teardown(() => slow.close());
  const agent = { socket: path, state_directory: state };
  const lines = askAgent(agent, { ask: 'refresh' }, { signal: leaving.signal });
  const message = /goes on: minion status/u;
  await t.throwsAsync(lines.next(), { code: 'CANCELLED', message });
  t.deepEqual(asked, ['refresh']);
});

test('a caller that has gone before it is heard does the agent no harm', async (t) => {
  const { root } = place();
  const path = join(root, 'agent');
  const asked: string[] = [];
  const answer: LocalParts['answer'] = ({ ask }) => void asked.push(ask);
  const server = await listenLocally({ path, log: silentLog, answer });
  t.teardown(() => server.close());
  const caller = connect(path, () => caller.write('status\n', () => caller.destroy()));
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  t.deepEqual(asked, ['status']);
});

test('an agent that is told nothing by a service manager tells it nothing', (t) => {
  t.notThrows(() => {
    notifyReady({}, silentLog);
  });
});

test('an agent with a wrong configuration, or without a master, does not start', async (t) => {
  const { flags } = place();
  const quiet = { environment: {}, stderr: process.stderr };
  t.is(await startAgent([...flags, '--log-level', 'loud'], programs, quiet), 1);
  t.is(await startAgent([...flags], programs, quiet), 5);
});

test('a start that fails ends, with its exit code', async (t) => {
  const { state, flags } = place();
  chmodSync(state, 0o755);
  const child = spawn(process.execPath, [programs.minion, 'agent', ...flags, '--master', 'a:1'], {
    env: { CONDUCTOR_MINION_TRUST_ON_FIRST_USE: 'true', PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 20_000,
  });
  const [[exitCode], said] = await Promise.all([once(child, 'exit'), textOf(child.stderr)]);
  t.regex(said, /mode 0755 lets others in/u);
  t.is(exitCode, 1);
  (await holdStateDirectory(state)).close();
});

test('an agent that is told to stop ends, though its start never does', async (t) => {
  const { root, flags } = place();
  const started = join(root, 'started');
  const flock = `#!/bin/sh\n: > ${started}\nexec sleep 40 >/dev/null 2>&1\n`;
  writeFileSync(join(root, 'flock'), flock, { mode: 0o755 });
  const child = spawn(process.execPath, [programs.minion, 'agent', ...flags, '--master', 'a:1'], {
    env: { CONDUCTOR_MINION_TRUST_ON_FIRST_USE: 'true', PATH: `${root}:${process.env['PATH']}` },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const ended = Promise.all([once(child, 'exit'), textOf(child.stderr)]);
  while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGTERM');
  const [[exitCode], said] = await ended;
  t.regex(said, /Agent did not stop in time/u);
  t.is(exitCode, 70);
});

test('a resident agent answers for its status until it is told to stop', async (t) => {
  const here = place();
  const { state, flags } = here;
  writeTrust(state, { pin: rootFingerprint, serial: 1n, masters: ['127.0.0.1:1'] }, silentLog);
  const stop = new AbortController();
  const config = await readConfig({
    file: undefined,
    flags: { id: 'web-01', state_directory: state, socket: join(here.root, 'sock') },
    environment: {},
  });
  const agent = runResident({
    config,
    programs,
    log: silentLog,
    environment: {},
    signal: stop.signal,
  });
  while (!existsSync(join(here.root, 'sock')))
    await new Promise((resolve) => setTimeout(resolve, 10));

  const status = await minion(['status', '--json', ...flags]);
  t.is(status.exitCode, 0);
  t.like(JSON.parse(status.out), {
    isRunning: true,
    minion: 'web-01',
    isConnected: false,
    spooled: 0,
  });
  stop.abort();
  await agent;
  t.is((await minion(['status', ...flags])).exitCode, 3);
});
