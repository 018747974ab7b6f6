import { execaSync } from 'execa';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm run bench`: a run in which 1,000 small templated files are right already, against the bare
 * system calls that look at them (lstat, read, SHA-256) in a process of their own. Prints medians
 * in milliseconds and their ratio: times differ from machine to machine, the ratio hardly does.
 * `npm run bench -- 10000` does it with so many files.
 */

const FILES = Number(process.argv[2] ?? 1000);
const ROUNDS = 5;
const here = mkdtempSync(join(tmpdir(), 'conductor-bench-'));

try {
  writeTree();
  const first = timed(() => apply());
  const rounds = Array.from({ length: ROUNDS }, () => ({
    apply: timed(() => apply()),
    bare: timed(() => execaSync(process.execPath, ['build/js/bench/look.js', join(here, 'out')])),
  }));
  const noop = median(rounds.map((round) => round.apply));
  const bare = median(rounds.map((round) => round.bare));
  console.log(`first run       ${first} ms`);
  console.log(`second run      ${noop} ms`);
  console.log(`system calls    ${bare} ms (with the start of a Node process)`);
  console.log(`ratio           ${(noop / bare).toFixed(1)}`);
} finally {
  rmSync(here, { recursive: true });
}

function writeTree(): void {
  mkdirSync(join(here, 'states'));
  mkdirSync(join(here, 'templates'));
  writeFileSync(join(here, 'states/top.yaml'), 'base: {"*": [files]}\n');
  writeFileSync(join(here, 'templates/one.hbs'), 'This is file {{number}} of many.\n');
  const states = Array.from(
    { length: FILES },
    (_, number) =>
      `${here}/out/${number}:\n  file.managed: {source: one.hbs, mode: "0640", makedirs: true, context: {number: ${number}}}\n`,
  );
  writeFileSync(join(here, 'states/files.yaml'), states.join(''));
}

function apply(): void {
  const places = ['--tree', here, '--state-directory', join(here, 'state')];
  execaSync(process.execPath, ['dist/minion.js', 'apply', ...places]);
}

function timed(work: () => void): number {
  const begun = performance.now();
  work();
  return Math.round(performance.now() - begun);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
