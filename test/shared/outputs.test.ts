import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { outliveOutputs } from '../../shared/outputs.ts';

const minion = fileURLToPath(new URL('../../minion/main.js', import.meta.url));
const master = fileURLToPath(new URL('../../master/main.js', import.meta.url));

/** A command whose standard output is on a disk that is full. */
function onFullDisk(main: string, ...argv: readonly string[]) {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [main, ...argv], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  return { status, lines: stderr.trimEnd().split('\n') };
}

test('an output that cannot be written is told in one line, and by the exit code', (t) => {
  for (const [main, ...argv] of [
    [minion, 'facts'],
    [master, 'docs'],
  ] as const) {
    const { status, lines } = onFullDisk(main, ...argv);
    t.is(status, 1);
    t.is(lines.length, 1);
    t.regex(lines[0] ?? '', /^error: Cannot write all of the output: ENOSPC/u);
  }
});

test('a command that fails anyway keeps its own exit code', (t) => {
  const { status } = onFullDisk(minion, 'status', '--socket', '/nonexistent/socket');
  t.is(status, 3);
});

/** A process of which only the outputs matter. */
function ended(code: string, exitCode: number) {
  const events = new EventEmitter();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const once = (name: string, listener: (code: number) => void) => events.once(name, listener);
  const ending: Parameters<typeof outliveOutputs>[0] = { stdout, stderr, once, exitCode };
  outliveOutputs(ending);
  stdout.emit('error', Object.assign(new Error('it failed'), { code }));
  events.emit('exit', exitCode);
  return { exitCode: ending.exitCode, said: String(stderr.read() ?? '') };
}

test('nobody is told that nobody reads', (t) => {
  t.deepEqual(ended('EPIPE', 0), { exitCode: 0, said: '' });
  t.deepEqual(ended('EIO', 0), { exitCode: 0, said: '' });
});

test('an exit code that says what went wrong stays', (t) => {
  const said = 'error: Cannot write all of the output: it failed\n';
  t.deepEqual(ended('ENOSPC', 0), { exitCode: 1, said });
  t.deepEqual(ended('ENOSPC', 2), { exitCode: 2, said });
});
