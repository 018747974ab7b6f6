import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { until } from './harness.ts';

const PROGRAM = fileURLToPath(new URL('../../master/main.js', import.meta.url));

interface Place {
  readonly directory: string;
  /** Runs the program to its end. */
  run: (...argv: string[]) => Promise<{ code: number | null; out: string; err: string }>;
  /** Starts `master serve` and waits until it is ready. */
  serve: () => Promise<ChildProcess>;
}

function place(t: ExecutionContext): Place {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-serve-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'run'));
  const start = (argv: readonly string[]) =>
    spawn(process.execPath, [PROGRAM, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        CONDUCTOR_MASTER_STATE_DIRECTORY: join(directory, 'state'),
        CONDUCTOR_MASTER_TREE: join(directory, 'tree'),
        CONDUCTOR_MASTER_SOCKET: join(directory, 'run', 'master.sock'),
        CONDUCTOR_MASTER_LISTEN: '127.0.0.1:0',
      },
    });
  return {
    directory,
    async run(...argv) {
      const child = start(argv);
      let [out, err] = ['', ''];
      child.stdout.on('data', (data: Buffer) => (out += data.toString()));
      child.stderr.on('data', (data: Buffer) => (err += data.toString()));
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
      return { code, out, err };
    },
    async serve() {
      const child = start(['serve']);
      t.teardown(() => child.kill('SIGKILL'));
      let log = '';
      child.stderr.on('data', (data: Buffer) => (log += data.toString()));
      await until(() => {
        if (child.exitCode !== null) throw new Error(log);
        return log.includes('Master ready');
      });
      return child;
    },
  };
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

test('a master serves, refuses a second one by name, stops in order, and survives a kill -9', async (t) => {
  const { run, serve, directory } = place(t);
  t.is((await run('init')).code, 0);
  const first = await serve();
  t.is((await run('status')).code, 0);
  t.is(statSync(join(directory, 'run', 'master.sock')).mode & 0o777, 0o660);

  const second = await run('serve');
  t.is(second.code, 1);
  t.regex(
    second.err,
    new RegExp(`error: Cannot serve from ".*": process ${first.pid} holds it since `, 'u'),
  );
  t.is((await run('status')).code, 0);

  first.kill('SIGTERM');
  t.is(await ended(first), 0);
  t.is((await run('status')).code, 3);
  const third = await serve();
  third.kill('SIGKILL');
  await ended(third);
  t.is((await run('status')).code, 3);
  await serve();
  t.is((await run('status')).code, 0);
});

test('a master without keys, with a broken store or a socket that is taken does not start', async (t) => {
  const { run, directory } = place(t);
  const without = await run('serve');
  t.is(without.code, 1);
  t.regex(without.err, /it holds no keys: run "master init" first/u);
  t.is((await run('init')).code, 0);

  const socket = join(directory, 'run', 'master.sock');
  const other = createServer().listen(socket);
  const taken = await run('serve');
  t.is(taken.code, 1);
  t.regex(taken.err, /Cannot listen on ".*master\.sock": another program listens there/u);
  t.true(existsSync(socket));
  await new Promise((resolve) => other.close(resolve));

  writeFileSync(join(directory, 'state', 'master.sqlite'), 'damage'.repeat(200));
  const damaged = await run('serve');
  t.is(damaged.code, 1);
  t.regex(damaged.err, /Cannot open the store ".*": .*not a database/u);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('root works in the state directory of another user as that user', async (t) => {
  const { run, directory } = place(t);
  const NOBODY = 65_534;
  const state = join(directory, 'state');
  mkdirSync(state);
  chmodSync(directory, 0o755);
  chmodSync(state, 0o700);
  chownSync(state, NOBODY, NOBODY);
  const { code, err } = await run('init');
  t.is(code, 0, err);
  for (const name of ['keys', 'keys/root.key', 'keys/identity.key', 'master.sqlite', 'sealing.pub'])
    t.is(statSync(join(state, name)).uid, NOBODY, name);
  t.is(statSync(join(directory, 'tree')).uid, 0);
});
