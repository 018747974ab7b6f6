import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { createReserve } from '../../minion/agent/reserve.ts';

/** What a reserve of file descriptors is good for, in a process of its own: tests that run beside it need theirs. */

function limit(soft: number): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
}

/** What is done while this process can open nothing more. */
function withNothingLeft<T>(act: () => T): T {
  const [, before = '1024'] = /^Max open files\s+(\d+)/mu.exec(limits()) ?? [];
  limit(Math.max(...readdirSync('/proc/self/fd').map(Number)) + 20);
  const taken: number[] = [];
  try {
    for (let fd = tryToOpen(); fd !== null; fd = tryToOpen()) taken.push(fd);
    return act();
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

/** `read`, or the code of the error. */
function outcome(act: () => string): unknown {
  try {
    return act().includes('Max open files') ? 'read' : 'something else';
  } catch (error) {
    return Object(error)['code'];
  }
}

const { lend } = createReserve();
const looks = (): readonly unknown[] => [
  outcome(limits),
  outcome(() => lend(limits)),
  outcome(() => lend(() => lend(limits))),
];
const again = withNothingLeft(() => [looks(), looks(), looks()]);
const afterFailure = withNothingLeft(() => [
  outcome(() => lend(() => readFileSync('/nowhere', 'utf8'))),
  outcome(() => lend(limits)),
]);
const held = readdirSync('/proc/self/fd').length;
const heldWhileLent = lend(() => readdirSync('/proc/self/fd').length);
console.log(JSON.stringify({ again, afterFailure, isUntouched: held === heldWhileLent }));
