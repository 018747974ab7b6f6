import test from 'ava';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { createReserve } from '../../../minion/agent/reserve.ts';

function limit(soft: number): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
}

/** What is done while this process can open nothing more. */
function withNothingLeft(act: () => void): void {
  const [, before = '1024'] = /^Max open files\s+(\d+)/mu.exec(limits()) ?? [];
  limit(Math.max(...readdirSync('/proc/self/fd').map(Number)) + 20);
  const taken: number[] = [];
  try {
    for (let fd = tryToOpen(); fd !== null; fd = tryToOpen()) taken.push(fd);
    act();
  } finally {
    for (const fd of taken) closeSync(fd);
    limit(Number(before));
  }
}

function limits(): string {
  return readFileSync('/proc/self/limits', 'utf8');
}

function tryToOpen(): number | null {
  try {
    return openSync('/dev/null', 'r');
  } catch {
    return null;
  }
}

test.serial('who has no descriptor left can still look into a file, again and again', (t) => {
  const { lend } = createReserve();
  withNothingLeft(() => {
    t.throws(limits, { code: 'EMFILE' });
    for (let times = 0; times < 3; times += 1) {
      t.regex(lend(limits), /Max open files/u);
      t.regex(
        lend(() => lend(limits)),
        /Max open files/u,
      );
      t.throws(limits, { code: 'EMFILE' }, 'it holds its reserve again');
    }
  });
});

test.serial('what fails with the reserve leaves it whole', (t) => {
  const { lend } = createReserve();
  withNothingLeft(() => {
    t.throws(() => lend(() => readFileSync('/nowhere')), { code: 'ENOENT' });
    t.regex(lend(limits), /Max open files/u);
  });
});

test.serial('with room for others it is not touched', (t) => {
  const { lend } = createReserve();
  const held = readdirSync('/proc/self/fd').length;
  t.is(
    lend(() => readdirSync('/proc/self/fd').length),
    held,
  );
});
