import test from 'ava';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import type { Argv } from '../../../minion/host/host.ts';
import { namesById, parseGroup, parsePasswd } from '../../../minion/host/accounts.ts';
import { accountFor, commandFor, withUmask } from '../../../minion/host/as-user.ts';
import { ownCgroup } from '../../../minion/host/cgroup.ts';
import { runProcess } from '../../../minion/host/commands.ts';
import type { Host } from '../../../minion/host/host.ts';
import { canConnect, httpAsk } from '../../../minion/host/network.ts';
import { createCapture } from '../../../minion/host/output.ts';
import { endProcessGroup } from '../../../minion/host/process-group.ts';
import { createRealHost } from '../../../minion/host/real-host.ts';
import { openRegistry } from '../../../minion/host/registry.ts';
import { openKeeps } from '../../../minion/host/keeps.ts';
import { following } from '../../../minion/host/signals.ts';
import { createTopics } from '../../../minion/host/topics.ts';
import { viewOf } from '../../../minion/host/view.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { createLogger } from '../../../shared/log.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import { testAtRest } from '../../helpers/toy-world.ts';

const asRoot = process.geteuid?.() === 0 ? test : test.skip;
const asGrouped = process.geteuid?.() === 0 && 'directory' in ownCgroup() ? test : test.skip;
const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
test.after.always(() => rmSync(place, { recursive: true, force: true }));

const log = createLogger({ name: 'test', level: 'error', write: () => undefined });

function realHost({
  signal = new AbortController().signal,
  graceMs = 300,
  redact = (text: string) => text,
} = {}): Host {
  return createRealHost({
    minion: 'web-01',
    registry: openRegistry(join(place, 'registry.json'), {
      dryRun: false,
      onCorrupt: (why) => {
        throw new Error(why);
      },
    }),
    keeps: openKeeps({ stateDirectory: place, atRest: testAtRest, log }),
    ports: new Map([['site', 20_001]]),
    log,
    graceMs,
    redact,
  }).within(signal);
}

const sh = (line: string) => ['/bin/sh', '-c', line] as const;

// What a command gets and gives

test('answers with exit code and both outputs, whatever they are', async (t) => {
  const { exitCode, stdout, stderr } = await realHost().query(sh('echo out; echo err >&2; exit 3'));
  t.deepEqual([exitCode, stdout, stderr], [3, 'out\n', 'err\n']);
  t.is((await realHost().query(sh('kill -9 $$'))).exitCode, 137);
});

test('a missing program is exit code 127; a missing directory is an error', async (t) => {
  t.is((await realHost().query(['conductor-no-such-program'])).exitCode, 127);
  await t.throwsAsync(realHost().query(['true'], { cwd: '/no/such' }), {
    code: 'COMMAND_FAILED',
    message: 'Cannot run "true": its directory "/no/such" does not exist',
  });
});

test('what cannot be started at all is an error that says why', async (t) => {
  const refused = async (argv: Argv, cwd = '/') =>
    (await t.throwsAsync(realHost().query(argv, { cwd }), { code: 'COMMAND_FAILED' })).message;
  const start = 'Cannot run "true": ';
  t.is(
    await refused(['true'], '/etc/passwd'),
    `${start}its directory, or one on the way to it, is none`,
  );
  t.is(await refused(['true', 'a\0b']), `${start}one of its arguments holds a NUL`);
  t.is(await refused(['true', 'x'.repeat(300_000)]), `${start}its arguments are too long`);
});

test('run() fails unless the command succeeds, with what it said last', async (t) => {
  const error = await t.throwsAsync(
    realHost().run(sh('echo one; echo two >&2; echo three >&2; exit 4')),
    { instanceOf: ConductorError },
  );
  t.is(error.message, 'Cannot run "/bin/sh": it exited with 4: three');
  t.deepEqual(error.details, { exitCode: 4, output: 'one\n\ntwo\nthree' });
  t.is((await realHost().run(['true'])).exitCode, 0);
});

test('the environment is small and clean, and holds what is added', async (t) => {
  process.env['CONDUCTOR_TEST_LEAK'] = 'leak';
  const { stdout } = await realHost().query(['env'], { env: { MORE: 'yes' } });
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0] ?? '');
  t.deepEqual(
    names.toSorted((a, b) => a.localeCompare(b)),
    ['HOME', 'LANG', 'LOGNAME', 'MORE', 'PATH', 'SHLVL', 'USER'],
  );
});

test('what a failed command has said is blanked before it is cut, so no part of a secret is left', async (t) => {
  const secret = 'correct horse battery staple';
  const redact = (text: string) => text.replaceAll(secret, '#');
  const line = `printf '%s' '${`${secret} `.repeat(200)}' >&2; exit 1`;
  const failed = await t.throwsAsync(realHost({ redact }).run(sh(line)), {
    instanceOf: ConductorError,
  });
  t.notRegex(`${failed.message} ${String(failed.details['output'])}`, /horse|battery|staple/u);
  const late = await t.throwsAsync(
    realHost({ redact }).run(sh(line.replace('exit 1', 'sleep 9')), { timeoutMs: 300 }),
    { instanceOf: ConductorError, code: 'COMMAND_TIMEOUT' },
  );
  t.notRegex(String(late.details['output']), /horse|battery|staple/u);
});

test('a secret goes in by standard input; a program that does not read it is fine', async (t) => {
  const { stdout } = await realHost().query(['cat'], { input: 'hunter2' });
  t.is(stdout, 'hunter2');
  const { exitCode } = await realHost().query(['true'], { input: 'x'.repeat(1 << 20) });
  t.is(exitCode, 0);
});

async function bashGiven(input: string, env: Record<string, string>): Promise<string> {
  return (await realHost().query(['/bin/bash', '-c', 'cat'], { input, env })).stdout;
}

test("bash that is given input does not read anybody's startup files", async (t) => {
  writeFileSync(join(place, '.bashrc'), 'echo startup\n');
  t.is(await bashGiven('x', { HOME: place }), 'x');
  // What would happen otherwise:
  t.is(await bashGiven('x', { HOME: place, SHLVL: '0' }), 'startup\nx');
});

test('standard input is empty otherwise, so nothing waits for an answer', async (t) => {
  t.is((await realHost().query(['cat'])).stdout, '');
});

test('output that is not UTF-8 is kept as bytes', async (t) => {
  const { raw, stdout } = await realHost().query(['printf', String.raw`\377\376`]);
  t.deepEqual([...raw], [0xff, 0xfe]);
  t.is(stdout, '\ufffd\ufffd');
});

test('much output is kept at both ends, and what is left out is counted', async (t) => {
  const line = 'echo begin; head -c 5000000 /dev/zero | tr "\\0" x; echo; echo end';
  const { stdout } = await realHost().query(sh(line));
  t.true(stdout.startsWith('begin\n') && stdout.endsWith('\nend\n'));
  t.regex(stdout, /\n\[… \d+ bytes left out …\]\n/u);
  t.true(stdout.length < 1_100_000);
});

asRoot(
  'a directory in memory is seen by the command alone, whoever runs it, and is gone with it',
  async (t) => {
    const directory = mkdtempSync(join(place, 'memory-'));
    chmodSync(place, 0o711);
    writeFileSync(join(directory, 'there'), '');
    const look = sh('ls -A; id -un; echo x >new; cat new');
    for (const user of [undefined, 'nobody']) {
      const who = user === undefined ? {} : { user };
      const options = { ...who, cwd: '/', inMemory: directory };
      const { stdout } = await realHost().query(['env', '-C', directory, ...look], options);
      t.is(stdout, `${user ?? 'root'}\nx\n`);
    }
    t.false(existsSync(join(directory, 'new')));
    t.true(existsSync(join(directory, 'there')));
  },
);

asRoot(
  'a directory that is to be read only is so for root, and stays as it is for others',
  async (t) => {
    const directory = mkdtempSync(join(place, 'read-'));
    writeFileSync(join(directory, 'there'), '');
    const look = sh(`ls ${directory}; touch ${directory}/new`);
    const { stdout, exitCode } = await realHost().query(look, {
      readOnly: [join(place, 'not there'), directory],
    });
    t.deepEqual([stdout, exitCode], ['there\n', 1]);
    writeFileSync(join(directory, 'new'), '');
    t.true(existsSync(join(directory, 'new')));
  },
);

test('umask and directory are those asked for', async (t) => {
  const path = join(place, 'umask');
  await realHost().run(sh('touch umask'), { cwd: place, umask: '077' });
  t.is(statSync(path).mode & 0o777, 0o600);
});

asRoot("runs as a user with that user's groups, home and names, and nothing of root", async (t) => {
  const line = 'id -un; id -G; echo $HOME $USER $LOGNAME; cat /etc/shadow >/dev/null 2>&1; echo $?';
  const { stdout } = await realHost().query(sh(line), { user: 'daemon' });
  const groups = execFileSync('id', ['-G', 'daemon']).toString().trim();
  t.deepEqual(stdout.trim().split('\n').slice(0, 3), ['daemon', groups, '/usr/sbin daemon daemon']);
  t.not(stdout.trim().split('\n')[3], '0');
});

asRoot('a user that does not exist is a clear error', async (t) => {
  await t.throwsAsync(realHost().query(['true'], { user: 'nobody-there' }), {
    code: 'COMMAND_FAILED',
    message: 'Cannot run "true" as "nobody-there": there is no such user',
  });
});

// Ends

async function isGone(pidFile: string): Promise<boolean> {
  const pid = Number(readFileSync(pidFile, 'utf8'));
  for (let wait = 0; wait < 40; wait += 1) {
    const state = existsSync(`/proc/${pid}/stat`)
      ? readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /u, '')[0]
      : 'gone';
    if (state === 'gone' || state === 'Z') return true;
    await after(25);
  }
  return false;
}

test('a command that takes too long is ended, with its children', async (t) => {
  const pidFile = join(place, 'timeout.pid');
  const begun = Date.now();
  await t.throwsAsync(
    realHost().query(sh(`sleep 60 & echo $! > ${pidFile}; echo working; wait`), { timeoutMs: 200 }),
    { code: 'COMMAND_TIMEOUT', message: 'Cannot finish "/bin/sh": it ran longer than 0.2 s' },
  );
  t.true(Date.now() - begun < 5000);
  t.true(await isGone(pidFile));
});

test('children that ignore TERM are killed, also when their parent has gone', async (t) => {
  const pidFile = join(place, 'stubborn.pid');
  const child = `trap '' TERM; echo $$ > ${pidFile}; while :; do sleep 0.1; done`;
  await t.throwsAsync(
    realHost({ graceMs: 300 }).run(sh(`sh -c "${child.replaceAll('$', '\\$')}" & wait`), {
      timeoutMs: 300,
    }),
    { code: 'COMMAND_TIMEOUT' },
  );
  t.true(await isGone(pidFile));
});

test('children that went into a session of their own are ended as well, and killed if they ignore TERM', async (t) => {
  const [meek, stubborn] = [join(place, 'meek.pid'), join(place, 'hardy.pid')];
  const hardy = `trap '' TERM; echo \\$\\$ > ${stubborn}; while :; do sleep 0.1; done`;
  const script = `setsid sh -c 'echo $$ > ${meek}; exec sleep 60' & setsid sh -c "${hardy}" & wait`;
  await t.throwsAsync(realHost({ graceMs: 300 }).run(sh(script), { timeoutMs: 300 }), {
    code: 'COMMAND_TIMEOUT',
  });
  t.true(await isGone(meek));
  t.true(await isGone(stubborn));
});

test('a cancelled run ends its command and says why', async (t) => {
  const cancel = new AbortController();
  const pidFile = join(place, 'cancel.pid');
  const running = realHost({ signal: cancel.signal }).run(
    sh(`echo $$ > ${pidFile}; exec sleep 60`),
  );
  await after(200);
  cancel.abort(new ConductorError('CANCELLED', 'the run was cancelled'));
  await t.throwsAsync(running, { code: 'CANCELLED' });
  t.true(await isGone(pidFile));
  await t.throwsAsync(realHost({ signal: cancel.signal }).query(['true']), { code: 'CANCELLED' });
  await t.throwsAsync(realHost({ signal: cancel.signal }).sleep(10_000), { code: 'CANCELLED' });
});

test('a daemon that keeps the output open is not waited for', async (t) => {
  const begun = Date.now();
  const { stdout } = await realHost().query(sh('setsid sleep 5 & echo started'));
  t.is(stdout, 'started\n');
  t.true(Date.now() - begun < 2500);
});

const built = (path: string) => new URL(`../../../minion/host/${path}.js`, import.meta.url).href;

/** A process that is a run in a cgroup of its own: what its commands came to, and where that cgroup is. */
async function inGroup(steps: string): Promise<string[]> {
  const script = join(place, `${randomUUID()}.mjs`);
  writeFileSync(
    script,
    `import { existsSync } from 'node:fs';
import { enterRunGroup } from '${built('run-group')}';
import { runProcess } from '${built('commands')}';
const group = await enterRunGroup();
const options = { env: { PATH: process.env.PATH }, cwd: '/', input: null, graceMs: 300 };
const sh = (line, timeoutMs) =>
  runProcess(['/bin/sh', '-c', line], { ...options, group, timeoutMs, signal: new AbortController().signal })
    .then(({ exitCode }) => console.log(exitCode), ({ code }) => console.log(code));
${steps}
await group.leave();
console.log(existsSync(group.directory));
`,
  );
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  return (await text(child.stdout)).trim().split('\n');
}

const HIDING = (pidFile: string) =>
  `(setsid sh -c "trap '' TERM; echo \\$\\$ > ${pidFile}; while :; do sleep 0.1; done" &)`;

asGrouped(
  'what has hidden in a session of its own and lost its parent ends with its command',
  async (t) => {
    const [left, hidden] = [join(place, 'left.pid'), join(place, 'hidden.pid')];
    const said = await inGroup(`
    await sh(${JSON.stringify(`${HIDING(left)}; while [ ! -s ${left} ]; do sleep 0.02; done; exit 3`)}, 9000);
    await sh(${JSON.stringify(`trap '' TERM; ${HIDING(hidden)}; while :; do sleep 0.1; done`)}, 600);
  `);
    t.deepEqual(said, ['3', 'COMMAND_TIMEOUT', 'false']);
    t.true(await isGone(hidden));
    // A command that has ended by itself may have started a daemon: that is nobody's to end.
    const daemon = Number(readFileSync(left, 'utf8'));
    t.notRegex(readFileSync(`/proc/${daemon}/cgroup`, 'utf8'), /conductor-run/u);
    process.kill(daemon, 'SIGKILL');
  },
);

test('ending a group that is gone already is fine', async (t) => {
  await t.notThrowsAsync(endProcessGroup(2 ** 22 - 7, 100));
});

test('runProcess() itself knows no default: it does what it is told', async (t) => {
  const output = await runProcess(['pwd'], {
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/usr',
    input: null,
    timeoutMs: 5000,
    graceMs: 100,
    signal: new AbortController().signal,
  });
  t.is(output.stdout, '/usr\n');
});

// Output, accounts, topics, views

test('a capture keeps the first and the last of what it gets', (t) => {
  const capture = createCapture(4, 4);
  for (const piece of ['ab', 'cdef', 'ghijklmnop', 'qrst', 'uvwxyz'])
    capture.add(Buffer.from(piece));
  t.is(Buffer.from(capture.bytes()).toString(), 'abcd\n[… 18 bytes left out …]\nwxyz');
  const small = createCapture(4, 4);
  small.add(Buffer.from('abcdefgh'));
  t.is(Buffer.from(small.bytes()).toString(), 'abcdefgh');
});

test('reads accounts and groups, the first of equal ones', (t) => {
  const accounts = parsePasswd(
    'root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\n\nbad\n',
  );
  t.deepEqual(accounts.get('root'), {
    name: 'root',
    uid: 0,
    gid: 0,
    gecos: 'root',
    home: '/root',
    shell: '/bin/bash',
  });
  t.is(namesById(accounts, ({ uid }) => uid).get(0), 'root');
  const groups = parseGroup('adm:x:4:syslog,deploy\nempty:x:5:\n');
  t.deepEqual(groups.get('adm'), { name: 'adm', gid: 4, members: ['syslog', 'deploy'] });
  t.deepEqual(groups.get('empty')?.members, []);
});

test("somebody else's command goes through setpriv, our own does not", (t) => {
  const accounts = parsePasswd('deploy:x:1001:1002::/home/deploy:/bin/sh\n');
  const { argv, env } = commandFor(['git', 'pull'], accountFor(['git'], 'deploy', accounts), {});
  const setpriv = '/usr/bin/setpriv --reuid deploy --regid 1002 --init-groups --';
  t.deepEqual(argv, `${setpriv} git pull`.split(' '));
  t.like(env, { HOME: '/home/deploy', USER: 'deploy', LOGNAME: 'deploy' });
  t.deepEqual(commandFor(['id'], null, {}).argv, ['id']);
  const deploy = accountFor(['git'], 'deploy', accounts);
  const theirs = { PATH: '/home/deploy/bin', LD_PRELOAD: '/home/deploy/x.so' };
  const there = commandFor(['git', 'pull'], deploy, theirs);
  const variables = 'PATH=/home/deploy/bin LD_PRELOAD=/home/deploy/x.so';
  t.deepEqual(there.argv, `${setpriv} /usr/bin/env ${variables} git pull`.split(' '));
  t.deepEqual(there.env, env);
  const odd = commandFor(['/srv/a=b/run', 'x'], deploy, { A: 'b' }).argv;
  t.deepEqual(odd.slice(-5), ['/bin/sh', '-c', 'exec "$0" "$@"', '/srv/a=b/run', 'x']);
  t.deepEqual(withUmask(['id'], undefined), ['id']);
});

test('a topic is read once, until somebody says that it has changed; a failure is no answer', async (t) => {
  const topics = createTopics();
  let reads = 0;
  const load = async () => {
    reads += 1;
    if (reads === 1) throw new Error('first');
    return reads;
  };
  await t.throwsAsync(topics.shared('x', load));
  t.deepEqual(await Promise.all([topics.shared('x', load), topics.shared('x', load)]), [2, 2]);
  topics.forget('x');
  t.is(await topics.shared('x', load), 3);
});

asRoot('knows accounts and files of this machine by name', async (t) => {
  const host = realHost();
  t.is((await host.accounts()).get('root')?.uid, 0);
  t.is((await host.groups()).get('root')?.gid, 0);
  t.like(await host.status('/etc'), { kind: 'directory', user: 'root', group: 'root' });
  const path = join('/var/lib', `conductor-test-${process.pid}`);
  await host.makeDirectory(path, { user: 'daemon', group: 'daemon', mode: '0750' });
  await host.writeFile(`${path}/file`, 'text', { mode: '600' });
  t.like(await host.status(path), { user: 'daemon', group: 'daemon', mode: '0750' });
  t.is(Buffer.from((await host.readFile(`${path}/file`)) ?? []).toString(), 'text');
  await host.link(`${path}/link`, 'file');
  t.is(await host.readLink(`${path}/link`), 'file');
  await host.own(`${path}/file`, { user: 'daemon' });
  await host.rename(`${path}/file`, `${path}/renamed`);
  t.deepEqual(await host.list(path), ['link', 'renamed']);
  await host.makeDirectories([`${path}/a`, `${path}/a/b`], { user: 'daemon' });
  const ownership = { user: 'daemon', mode: '600' };
  await host.writeFiles(
    ['a/one', 'a/b/two'].map((name) => ({ path: `${path}/${name}`, content: name, ownership })),
  );
  t.like(await host.status(`${path}/a/b`), { user: 'daemon', mode: '0755' });
  t.like(await host.status(`${path}/a/b/two`), { user: 'daemon', mode: '0600', size: 7 });
  await host.remove(path);
  t.is(await host.status(path), null);
});

test('a run that must end writes no further files', async (t) => {
  const signal = AbortSignal.abort(new ConductorError('CANCELLED', 'enough'));
  const files = [{ path: join(place, 'never'), content: '', ownership: {} }];
  await t.throwsAsync(realHost({ signal }).writeFiles(files), { code: 'CANCELLED' });
  t.false(existsSync(join(place, 'never')));
});

test('remembers, recalls, tells ports and shares', async (t) => {
  const host = realHost();
  await host.remember('x', '1');
  t.is(await host.recall('x'), '1');
  t.is(host.port('site'), 20_001);
  t.throws(() => host.port('nope'), { code: 'NOT_FOUND' });
  t.is(await host.shared('topic', async () => 1), 1);
  t.is(await host.shared('topic', async () => 2), 1);
  host.changed('topic');
  t.is(await host.shared('topic', async () => 3), 3);
  host.changed('everything');
  t.is(await host.shared('topic', async () => 4), 4);
  host.changed('accounts');
  t.is(host.minion, 'web-01');
});

test('a controller that follows a signal takes its reason, until it is let go', (t) => {
  const leader = new AbortController();
  const [first, second] = [following(leader.signal), following(leader.signal)];
  second.dispose();
  leader.abort(new Error('why'));
  t.is(first.controller.signal.reason, leader.signal.reason);
  t.false(second.controller.signal.aborted);
  t.true(following(leader.signal).controller.signal.aborted);
});

test('a view has all that looks and nothing that changes', async (t) => {
  const host = fakeHost({
    commands: { id: 'root' },
    files: { '/a': 'a' },
    links: { '/l': '/a' },
    statuses: { '/d': { kind: 'directory' } },
    listening: ['::1:80'],
    http: { 'http://x/': { status: 204 } },
    registry: { k: 'v' },
    ports: { site: 1 },
  });
  const view = viewOf(host);
  t.is((await view.query(['id'])).stdout, 'root');
  t.is(Buffer.from((await view.readFile('/l')) ?? []).toString(), 'a');
  t.is((await view.status('/d'))?.kind, 'directory');
  t.is(await view.readLink('/l'), '/a');
  t.deepEqual(await view.list('/d'), []);
  t.true((await view.accounts()).has('root') && (await view.groups()).has('root'));
  t.true(await view.canConnect('::1', 80, 1));
  t.is((await view.httpGet('http://x/', { timeoutMs: 1 }))?.status, 204);
  t.is(await view.shared('t', async () => 1), 1);
  t.is(await view.recall('k'), 'v');
  t.is(view.port('site'), 1);
  await view.sleep(5);
  for (const name of [
    'run',
    'writeFile',
    'writeFiles',
    'makeDirectory',
    'own',
    'link',
    'rename',
    'remove',
  ]) {
    t.false(name in view);
  }
  t.false('remember' in view || 'changed' in view);
});

// Network

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  return (server.address() as AddressInfo).port;
}

test('can tell whether something listens', async (t) => {
  const server = createTcpServer();
  const port = await listening(server);
  const { signal } = new AbortController();
  t.true(await canConnect({ address: '127.0.0.1', port, timeoutMs: 1000 }, signal));
  server.close();
  await after(50);
  t.false(await canConnect({ address: '127.0.0.1', port, timeoutMs: 1000 }, signal));
});

test('gets pages from where it is told, follows nothing, and null if nobody answers', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
    else response.writeHead(200, { 'x-host': request.headers.host }).end(request.headers['x-a']);
  });
  const port = await listening(server);
  const { signal } = new AbortController();
  const options = { timeoutMs: 2000, address: '127.0.0.1', headers: { 'x-a': 'b' } };
  const answer = await httpAsk(`http://site.example:${port}/`, options, signal);
  t.like(answer, { status: 200, headers: { 'x-host': `site.example:${port}` } });
  t.is(Buffer.from(answer?.body ?? []).toString(), 'b');
  const told = await httpAsk(
    `http://site.example:${port}/`,
    { ...options, onlyHeaders: true },
    signal,
  );
  t.deepEqual([told?.status, told?.body.length], [200, 0]);
  t.is((await httpAsk(`http://site.example:${port}/moved`, options, signal))?.status, 302);
  server.close();
  server.closeAllConnections();
  t.is(await httpAsk(`http://site.example:${port}/`, options, signal), null);
  const stopped = AbortSignal.abort(new ConductorError('CANCELLED', 'x'));
  await t.throwsAsync(httpAsk('http://x/', options, stopped), { code: 'CANCELLED' });
});

test('a page that never ends is given up in time', async (t) => {
  const server = createServer((_request, response) => {
    response.write('begin');
  });
  const port = await listening(server);
  const begun = Date.now();
  const options = { timeoutMs: 200 };
  t.is(await httpAsk(`http://127.0.0.1:${port}/`, options, new AbortController().signal), null);
  t.true(Date.now() - begun < 3000);
  server.closeAllConnections();
  server.close();
});
