import test from 'ava';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ownCgroup } from '../../../minion/host/cgroup.ts';
import { birthOf } from '../../../minion/host/process-birth.ts';
import { openRegistry } from '../../../minion/host/registry.ts';
import { forgetRunning, holderOf, noteRunning } from '../../../minion/run/holder.ts';
import { takeLock } from '../../../minion/run/lock.ts';
import { createPortAllocator, portEntry } from '../../../minion/run/ports.ts';
import { redactionFor } from '../../../minion/run/redaction.ts';
import { reportOf } from '../../../minion/run/report.ts';
import { performRun } from '../../../minion/run/run.ts';
import { spoolReport } from '../../../minion/run/spool.ts';
import { stopWhen } from '../../../minion/run/stop.ts';
import { treeOf } from '../../../minion/run/tree.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';
import { reportSchema, runEventSchema } from '../../../protocol/report.ts';
import type { Report, RunEvent } from '../../../protocol/report.ts';
import type { RunRequest } from '../../../protocol/run-request.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { oneFile, runPlace, runRequest } from '../../helpers/run-request.ts';
import type { TestTree } from '../../helpers/run-request.ts';

const CHILD = fileURLToPath(new URL('../../../minion/run/main.js', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const asRoot = isRoot ? test : test.skip;
/** For what depends on time: nothing else goes on meanwhile. */
const serialAsRoot = isRoot ? test.serial : test.skip;
/** For what only the kernel's own book of a run's processes can tell. */
const asGrouped = isRoot && 'directory' in ownCgroup() ? test : test.skip;
const hasStrace = spawnSync('strace', ['-V']).status === 0;

const places: string[] = [];
test.after.always(() => {
  for (const path of places) rmSync(path, { recursive: true, force: true });
});

function place(): string {
  const path = runPlace();
  places.push(path);
  return path;
}

async function perform(request: RunRequest, cancelAt?: RunEvent['event']) {
  const events: RunEvent[] = [];
  const cancel = new AbortController();
  const report = await performRun(request, {
    states: stateTypes,
    emit(event) {
      events.push(event);
      if (event.event === cancelAt) setTimeout(() => cancel.abort(), 200);
    },
    signal: cancel.signal,
  });
  return { report: reportSchema.parse(report), events };
}

function statuses(report: Report): string[] {
  return report.outcomes.map(({ id, status }) => `${id}: ${status}`);
}

function file(path: string, contents = 'hello'): string {
  return `motd:\n  file.managed:\n    name: ${path}\n    contents: ${contents}\n`;
}

/** Every path below a place with its time and size: what a dry run may not touch. */
function snapshot(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { mtimeMs, ctimeMs, size } = statSync(join(path, name));
      return `${name} ${mtimeMs} ${ctimeMs} ${size}`;
    })
    .toSorted((a, b) => a.localeCompare(b));
}

// A whole run

asRoot('converges a tree; a second run changes nothing and says so', async (t) => {
  const here = place();
  const files = oneFile(file(join(here, 'motd')));
  const first = await perform(runRequest(here, { files }));
  t.like(first.report, { status: 'changed', minion: 'web-01', cause: 'job', dryRun: false });
  t.is(readFileSync(join(here, 'motd'), 'utf8'), 'hello\n');
  t.deepEqual(
    first.events.map(({ event }) => event),
    ['compiling', 'compiled', 'started', 'outcome'],
  );
  const second = await perform(runRequest(here, { files }));
  t.is(second.report.status, 'ok');
  t.deepEqual(statuses(second.report), ['motd: unchanged']);
});

asRoot(
  'a minion that no line of the top file is for fails; one whose line is empty does not',
  async (t) => {
    const here = place();
    const filesFor = (lines: string) => ({
      'states/top.yaml': `base:\n  appserver: [one]\n${lines}`,
      'states/one.yaml': file(join(here, 'motd')),
    });
    const { report } = await perform(runRequest(here, { files: filesFor('') }));
    t.like(report, { status: 'failed', error: { code: 'NOTHING_DECLARED' } });
    t.regex(
      report.error?.message ?? '',
      /no line of states\/top\.yaml is for it \(it is in no group\).*"web-01": \[\]/u,
    );
    const meant = await perform(runRequest(here, { files: filesFor('  web-01: []\n') }));
    t.like(meant.report, { status: 'ok', counts: { total: 0 } });
    const asked = runRequest(here, { files: filesFor(''), options: { stateFiles: ['one'] } });
    t.is((await perform(asked)).report.status, 'changed');
  },
);

asRoot('a dry run on a fresh machine writes nothing, not even a state directory', async (t) => {
  const here = place();
  const tree: TestTree = { files: oneFile(file(join(here, 'motd'))), options: { dryRun: true } };
  const request = runRequest(here, tree);
  const before = snapshot(here);
  const { report } = await perform(request);
  t.like(report, { status: 'ok', counts: { wouldChange: 1 } });
  t.deepEqual(snapshot(here), before);
});

asRoot('a dry run on a converged machine touches nothing either', async (t) => {
  const here = place();
  const files = oneFile(`${file(join(here, 'motd'), `"is {{port 'site'}}"`)}
told:
  cmd.run:
    name: echo told >> ${join(here, 'log')}
    onchanges: [motd]
`);
  await perform(runRequest(here, { files }));
  writeFileSync(join(here, 'motd'), 'drifted\n');
  const request = runRequest(here, { files, options: { dryRun: true } });
  const before = snapshot(here);
  const { report } = await perform(request);
  t.deepEqual(statuses(report), ['motd: would-change', 'told: would-change']);
  t.deepEqual(snapshot(here), before);
});

asRoot('a tree with mistakes touches no host and is told as they are', async (t) => {
  const here = place();
  const files = oneFile(`${file(join(here, 'motd'))}typo:\n  user.presnt: {}\n`);
  const { report, events } = await perform(runRequest(here, { files }));
  t.like(report, { status: 'failed', error: { code: 'TREE_INVALID' }, outcomes: [] });
  t.regex(report.error?.message ?? '', /states\/one\.yaml:6:3/u);
  t.false(existsSync(join(here, 'motd')));
  t.deepEqual(
    events.map(({ event }) => event),
    ['compiling'],
  );
});

asRoot('a failed state makes a failed run, and the rest goes on', async (t) => {
  const here = place();
  const files = oneFile(`
bad:
  cmd.run: {name: 'echo oh no >&2; exit 3', always: true}
${file(join(here, 'motd'))}`);
  const { report } = await perform(runRequest(here, { files }));
  t.is(report.status, 'failed');
  t.deepEqual(statuses(report), ['bad: failed', 'motd: changed']);
  t.regex(report.outcomes[0]?.error?.output ?? '', /oh no/u);
});

asRoot('secrets of the pillar are in no report, event or error', async (t) => {
  const here = place();
  const files = oneFile(`
settings:
  file.managed: {name: ${join(here, 'settings')}, contents: "key = {{ pillar.key }}"}
bad:
  cmd.run: {name: "echo {{ pillar.key }}; exit 1", always: true}
`);
  const pillar = { value: { key: 'hunter2-and-more' }, secrets: ['/key'] };
  const { report, events } = await perform(runRequest(here, { files, pillar }));
  t.is(readFileSync(join(here, 'settings'), 'utf8'), 'key = hunter2-and-more\n');
  t.deepEqual(statuses(report), ['settings: changed', 'bad: failed']);
  t.notRegex(JSON.stringify([report, events]), /hunter2/u);
  t.regex(JSON.stringify(report), /secret\([0-9a-f]{4}\)/u);
});

asRoot('a damaged or missing blob fails the run before it touches anything', async (t) => {
  for (const spoil of [
    (path: string) => writeFileSync(path, 'something else'),
    (path: string) => rmSync(path),
  ]) {
    const here = place();
    const request = runRequest(here, { files: oneFile(file(join(here, 'motd'))) });
    const entry = request.manifest.find(({ path }) => path === 'states/one.yaml');
    spoil(join(request.blobDirectory, entry?.sha256 ?? ''));
    const { report } = await perform(request);
    t.like(report, { status: 'failed', error: { code: 'SOURCE_MISSING' } });
    t.false(existsSync(join(here, 'motd')));
    t.throws(() => treeOf(request).read('states/one.yaml'), { code: 'SOURCE_MISSING' });
    t.is(treeOf(request).read('states/none.yaml'), null);
  }
});

asRoot('ports are the same in every run, also where nothing declares them', async (t) => {
  const here = place();
  const text = `${file(join(here, 'motd'), `"{{port 'site'}} {{port 'other'}}"`)}
"site port":
  port.allocated: {name: site}
`;
  const { report } = await perform(runRequest(here, { files: oneFile(text) }));
  t.deepEqual(statuses(report), ['site port: changed', 'motd: changed']);
  const [site, other] = readFileSync(join(here, 'motd'), 'utf8').trim().split(' ');
  t.not(site, other);
  const registry = openRegistry(join(here, 'state', 'registry.json'), {
    dryRun: true,
    onCorrupt: (why) => t.fail(why),
  });
  t.deepEqual(
    [...registry.entries()],
    [
      ['port:other', other],
      ['port:site', site],
    ],
  );
  t.is((await perform(runRequest(here, { files: oneFile(text) }))).report.status, 'ok');
});

serialAsRoot(
  'a run that takes too long ends as timeout, a cancelled one as cancelled',
  async (t) => {
    const files = oneFile(`
slow:
  cmd.run: {name: sleep 60, always: true}
next:
  cmd.run: {name: 'true', always: true}
`);
    const late = await perform(runRequest(place(), { files, options: { timeoutSeconds: 3 } }));
    t.like(late.report, { status: 'timeout', error: { code: 'COMMAND_TIMEOUT' } });
    t.deepEqual(statuses(late.report), ['slow: failed', 'next: skipped']);

    const { report } = await perform(runRequest(place(), { files }), 'started');
    t.like(report, { status: 'cancelled', error: { code: 'CANCELLED' } });
    t.deepEqual(statuses(report), ['slow: failed', 'next: skipped']);
  },
);

// One at a time

asRoot('one run at a time: the second waits for the first, or says that it is busy', async (t) => {
  const stateDirectory = join(place(), 'state');
  const { signal } = new AbortController();
  const options = { stateDirectory, dryRun: false, waitSeconds: 0, signal };
  const first = await takeLock(options);
  await t.throwsAsync(takeLock(options), { code: 'RUN_BUSY' });
  await t.throwsAsync(takeLock({ ...options, dryRun: true }), { code: 'RUN_BUSY' });

  const cancelled = new AbortController();
  const waiting = takeLock({ ...options, waitSeconds: 30, signal: cancelled.signal });
  cancelled.abort(new ConductorError('CANCELLED', 'x'));
  await t.throwsAsync(waiting, { code: 'CANCELLED' });

  const patient = await new Promise<{ taking: ReturnType<typeof takeLock> }>((resolve) => {
    const taking = takeLock({ ...options, waitSeconds: 30, onWait: () => resolve({ taking }) });
  });
  first.release();
  (await patient.taking).release();
  t.deepEqual(readdirSync(stateDirectory), []);
});

asRoot(
  'a run that has to wait tells for which, and says so if it is cancelled meanwhile',
  async (t) => {
    const here = place();
    const files = oneFile(file(join(here, 'motd')));
    const request = runRequest(here, { files });
    const { stateDirectory, options } = request;
    const lock = await takeLock({
      stateDirectory,
      dryRun: false,
      waitSeconds: 0,
      signal: new AbortController().signal,
    });
    noteRunning(stateDirectory, { ...options, cause: 'local' }, null);
    const since = holderOf(stateDirectory)?.since;
    const holder = { pid: process.pid, since, job: options.job, cause: 'local' };
    const waited = await perform(request, 'waiting');
    t.deepEqual(waited.events, [{ event: 'waiting', seconds: 60, holder }]);
    t.like(waited.report, { status: 'cancelled', error: { code: 'CANCELLED' }, outcomes: [] });
    t.regex(waited.report.error?.message ?? '', /while it waited for another run to end$/u);

    // A dry run writes nothing down: the kernel knows who it is.
    forgetRunning(stateDirectory);
    const { pid } = process;
    t.like(holderOf(stateDirectory), { pid, job: null, cause: null });
    lock.release();
    t.is(holderOf(stateDirectory), null);
    t.is((await perform(request)).report.status, 'changed');
  },
);

asRoot('a run that ends early says at which state, and what is owed all the same', async (t) => {
  const here = place();
  const [conf, log] = [join(here, 'conf'), join(here, 'log')];
  const files = oneFile(`
conf:
  file.managed: {name: ${conf}, contents: new}
slow:
  cmd.run: {name: sleep 300, always: true}
told:
  cmd.run:
    name: echo told >> ${log}
    onchanges: [conf]
`);
  const { report } = await perform(runRequest(here, { files }), 'outcome');
  t.like(report, { status: 'cancelled', owed: [`cmd.run|told|echo told >> ${log}`] });
  t.is(report.error?.message, 'the run was cancelled at state 2 of 3, "slow" (cmd.run)');
  const late = await perform(runRequest(here, { files, options: { timeoutSeconds: 1 } }));
  t.like(late.report, { status: 'timeout', owed: [`cmd.run|told|echo told >> ${log}`] });
  t.regex(late.report.error?.message ?? '', /^the run took longer than 1 s (at state|before)/u);
});

asGrouped('what a killed run has left is ended by the next one before it begins', async (t) => {
  const here = place();
  const mark = join(here, 'mark');
  const files = oneFile(`
slow:
  cmd.run: {name: '(setsid sh -c "echo \\$\\$ > ${mark}; exec sleep 300" &) ; sleep 300', always: true}
`);
  const child = startChild(runRequest(here, { files }));
  await until(() => existsSync(mark) && readFileSync(mark, 'utf8').endsWith('\n'));
  const hidden = Number(readFileSync(mark, 'utf8'));
  child.process.kill('SIGKILL');
  await child.ended;
  t.not(birthOf(hidden), null);
  const { report } = await perform(runRequest(here, { files: oneFile(file(join(here, 'motd'))) }));
  t.is(report.status, 'changed');
  t.is(birthOf(hidden), null);
  t.false(existsSync(join(here, 'state', 'run.json')));
});

// The child process

interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly events: RunEvent[];
  readonly ended: Promise<number | null>;
}

function startChild(request: RunRequest): Child {
  const child = spawn(process.execPath, [CHILD], { stdio: 'pipe' });
  const events: RunEvent[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => events.push(runEventSchema.parse(JSON.parse(line))));
  child.stderr.resume();
  child.stdin.end(JSON.stringify(request));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return { process: child, events, ended };
}

async function until(holds: () => boolean): Promise<void> {
  for (let wait = 0; wait < 400; wait += 1) {
    if (holds()) return;
    await after(25);
  }
  throw new Error('it never came to that');
}

asRoot('the child streams what it does, spools its report and ends with it', async (t) => {
  const here = place();
  const request = runRequest(here, { files: oneFile(file(join(here, 'motd'))) });
  const child = startChild(request);
  t.is(await child.ended, 0);
  const last = child.events.at(-1);
  t.is(last?.event, 'report');
  const spooled = readFileSync(join(here, 'state', 'spool', `${request.options.job}.json`), 'utf8');
  t.deepEqual(last, { event: 'report', report: reportSchema.parse(JSON.parse(spooled)) });
});

asRoot('a child that is asked for nonsense says so and does nothing', async (t) => {
  const child = spawnSync(process.execPath, [CHILD], { input: '{"options":{}}' });
  t.is(child.status, 70);
  t.is(child.stdout.toString(), '');
  t.regex(child.stderr.toString(), /Run request was unusable/u);
});

for (const [signal, who] of [
  ['SIGTERM', 'told to end by the host, as it is when that shuts down,'],
  ['SIGUSR2', 'cancelled by an operator'],
] as const)
  asRoot(`${signal} ends a run and what it has started, and the report says who did`, async (t) => {
    const here = place();
    const mark = join(here, 'mark');
    const files = oneFile(`
slow:
  cmd.run: {name: 'echo $$ > ${mark}; exec sleep 300', always: true}
`);
    const child = startChild(runRequest(here, { files }));
    await until(() => existsSync(mark) && readFileSync(mark, 'utf8').endsWith('\n'));
    child.process.kill(signal);
    t.is(await child.ended, 0);
    const message = `the run was ${who} at state 1 of 1, "slow" (cmd.run)`;
    const error = { code: 'CANCELLED', message };
    t.like(child.events.at(-1), { event: 'report', report: { status: 'cancelled', error } });
    t.false(existsSync(`/proc/${readFileSync(mark, 'utf8').trim()}`));
  });

asRoot('a child whose parent has gone finishes, and its report waits in the spool', async (t) => {
  const here = place();
  const mark = join(here, 'mark');
  const files = oneFile(`
slow:
  cmd.run: {name: 'touch ${mark}; sleep 1', always: true}
${file(join(here, 'motd'))}`);
  const request = runRequest(here, { files });
  const child = startChild(request);
  await until(() => existsSync(mark));
  child.process.stdout.destroy();
  child.process.stderr.destroy();
  const spooled = join(here, 'state', 'spool', `${request.options.job}.json`);
  await until(() => existsSync(spooled));
  const report = reportSchema.parse(JSON.parse(readFileSync(spooled, 'utf8')));
  t.deepEqual(statuses(report), ['slow: changed', 'motd: changed']);
  t.is(await child.ended, 0);
});

asRoot('killed between a change and its reaction, the next run makes the reaction', async (t) => {
  const here = place();
  const mark = join(here, 'mark');
  const log = join(here, 'log');
  const files = oneFile(`${file(join(here, 'config'))}
pause:
  cmd.run: {name: 'touch ${mark}; sleep 30', creates: ${join(here, 'go-on')}}
service:
  cmd.run:
    name: echo restarted >> ${log}
    onchanges: [motd]
`);
  const child = startChild(runRequest(here, { files }));
  await until(() => existsSync(mark));
  child.process.kill('SIGKILL');
  t.is(await child.ended, null);
  t.true(existsSync(join(here, 'config')));
  t.false(existsSync(log));

  writeFileSync(join(here, 'go-on'), '');
  const { report } = await perform(runRequest(here, { files }));
  t.deepEqual(statuses(report), ['motd: unchanged', 'pause: skipped', 'service: changed']);
  t.is(readFileSync(log, 'utf8'), 'restarted\n');
  t.deepEqual(report.owed, []);
  const third = await perform(runRequest(here, { files }));
  t.is(third.report.status, 'ok');
});

asRoot(
  'started again after it was killed, a run reports what its first start has changed, and where it was killed',
  async (t) => {
    const here = place();
    const mark = join(here, 'mark');
    const files = oneFile(`${file(join(here, 'motd'))}
pause:
  cmd.run: {name: 'touch ${mark}; sleep 30', creates: ${join(here, 'go-on')}}
`);
    const request = runRequest(here, { files });
    const child = startChild(request);
    await until(() => existsSync(mark));
    child.process.kill('SIGKILL');
    t.is(await child.ended, null);
    writeFileSync(join(here, 'go-on'), '');
    const { report } = await perform(request);
    t.deepEqual(statuses(report), ['motd: changed', 'pause: failed']);
    t.like(report, { status: 'failed', counts: { changed: 1, failed: 1, total: 2 } });
    t.regex(report.outcomes[1]?.error?.message ?? '', /begun at .* and killed before its end/u);
    const other = await perform(runRequest(here, { files }));
    t.deepEqual(statuses(other.report), ['motd: unchanged', 'pause: skipped']);
  },
);

const straced = hasStrace ? asRoot : test.skip;

straced('watched by strace, the child of a dry run opens nothing for writing', async (t) => {
  const here = place();
  const files = oneFile(`${file(join(here, 'motd'), `"is {{port 'site'}}"`)}
told:
  cmd.run: {name: echo told, unless: 'test -e ${join(here, 'motd')}'}
nobody:
  user.present: {name: conductor-nobody}
`);
  mkdirSync(join(here, 'state'));
  const traces = place();
  const request = runRequest(here, { files, options: { dryRun: true, cause: 'local' } });
  const calls =
    'open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,mknod,mknodat,setxattr';
  const output: string[] = [];
  const child = spawn(
    'strace',
    ['-ff', '-o', join(traces, 'trace'), '-e', `trace=${calls}`, process.execPath, CHILD],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  child.stdout.on('data', (piece: Buffer) => output.push(piece.toString()));
  child.stdin.end(JSON.stringify(request));
  const status = await new Promise((resolve) => {
    child.once('close', resolve);
  });
  const stdout = output.join('');
  t.is(status, 0);
  t.like(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), {
    report: { status: 'ok', counts: { wouldChange: 2, unknown: 1 } },
  });
  const lines = readdirSync(traces).flatMap((name) =>
    readFileSync(join(traces, name), 'utf8').split('\n'),
  );
  t.true(
    lines.some((line) => line.includes('owed.json')),
    'strace saw nothing',
  );
  const writes = lines.filter(
    (line) =>
      /= \d+$/u.test(line) &&
      (/O_WRONLY|O_RDWR|O_CREAT/u.test(line) || !/\bopen(at)?\(/u.test(line)) &&
      // The run's own cgroup is in the kernel's memory, not on the machine.
      !/"\/dev\/(null|tty|fd\/\d+)"|"\/proc\/|"\/sys\/fs\/cgroup\/|eventpoll/u.test(line),
  );
  t.deepEqual(writes, []);
});

// Parts

test('a name keeps its port; two never share one; what is in use is passed over', (t) => {
  const registry = new Map([
    [portEntry('old'), '20000'],
    [portEntry('broken'), 'x'],
  ]);
  const stored = { recall: (name: string) => registry.get(name) ?? null, entries: () => registry };
  const range = { first: 20_000, last: 20_004 };
  const allocate = createPortAllocator(stored, new Set([20_000, 20_001]), range);
  t.is(allocate('old'), 20_000);
  const given = [allocate('a'), allocate('b'), allocate('broken')];
  t.deepEqual(
    given.toSorted((a, b) => a - b),
    [20_002, 20_003, 20_004],
  );
  t.deepEqual([allocate('a'), allocate('b'), allocate('broken')], given);
  t.throws(() => allocate('one too many'), {
    code: 'STATE_REFUSED',
    message: 'Cannot allocate a port for "one too many": 20000-20004 is used up',
  });
});

test('a minion that has lost its registry finds the same ports again', (t) => {
  const empty = { recall: () => null, entries: () => new Map<string, string>() };
  const first = createPortAllocator(empty, new Set());
  const second = createPortAllocator(empty, new Set());
  t.is(first('openknesset'), second('openknesset'));
  t.true(first('openknesset') >= 20_000 && first('openknesset') <= 29_999);
});

test('marks of secrets depend on the key', (t) => {
  const [a, b] = ['aa', 'bb'].map((pair) => redactionFor(['hunter2'], pair.repeat(32)));
  t.regex(a?.redact('x hunter2') ?? '', /^x secret\([0-9a-f]{4}\)$/u);
  t.not(a?.fingerprint('hunter2'), b?.fingerprint('hunter2'));
});

test('a run ends by its time or by a cancel, and by neither once it is over', async (t) => {
  const cancel = new AbortController();
  const [timed, cancelled, over] = [
    stopWhen(new AbortController().signal, 0.02),
    stopWhen(cancel.signal, 60),
    stopWhen(cancel.signal, 0.02),
  ];
  over.dispose();
  cancel.abort();
  await after(60);
  t.is(timed.signal.reason.code, 'COMMAND_TIMEOUT');
  t.is(cancelled.signal.reason.code, 'CANCELLED');
  t.false(over.signal.aborted);
  const late = stopWhen(cancel.signal, 60);
  t.true(late.signal.aborted);
  for (const stop of [timed, cancelled, late]) stop.dispose();
});

test('only a dry run that somebody makes on the machine itself is not spooled', (t) => {
  const here = place();
  const base = { files: oneFile('') };
  const ended = {
    startedAt: new Date(),
    milliseconds: 1,
    signal: new AbortController().signal,
    error: null,
    outcomes: [],
    debts: [],
    redact: (text: string) => text,
    at: 'before its first state',
  };
  for (const [options, count] of [
    [{ dryRun: true, cause: 'local' }, 0],
    [{ dryRun: true, cause: 'job' }, 0],
    [{ dryRun: false, cause: 'local' }, 1],
  ] as const) {
    const request = runRequest(here, { ...base, options });
    spoolReport(request.stateDirectory, reportOf(request, ended));
    const spool = join(request.stateDirectory, 'spool');
    t.is(existsSync(spool) ? readdirSync(spool).length : 0, count);
  }
});
