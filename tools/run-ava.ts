import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Runs AVA suites one after the other (arguments: pairs of a name and a configuration file), shows
 * every test as it ends, and closes with one line for people and programs:
 * `N passed, N failed, N skipped`. Exits with 1 if a test failed or a suite could not be run.
 */

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
let isBroken = false;

for (const [name, config] of pairs(process.argv.slice(2))) {
  console.log(`== ${name} tests`);
  const begun = Date.now();
  const { counts, exitCode } = await runSuite(config);
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
  const ran = counts.passed + counts.failed + counts.skipped;
  if (ran === 0 || (exitCode !== 0 && counts.failed === 0)) {
    isBroken = true;
    console.log(`error: the ${name} tests ended with code ${exitCode} after ${ran} tests`);
  }
  console.log(`== ${name}: ${show(counts)} in ${Math.round((Date.now() - begun) / 1000)} s`);
}

console.log(show(total));
process.exitCode = isBroken || total.failed > 0 ? 1 : 0;

function* pairs(words: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index + 1 < words.length; index += 2) {
    yield [words[index] ?? '', words[index + 1] ?? ''];
  }
}

async function runSuite(config: string): Promise<{ counts: Counts; exitCode: number }> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const ava = spawn('npx', ['ava', '--tap', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number>((resolve) => {
    ava.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
  for await (const line of createInterface({ input: ava.stdout })) report(line, counts);
  return { counts, exitCode: await ended };
}

function report(line: string, counts: Counts): void {
  const kind = kindOf(line);
  if (kind !== null) counts[kind] += 1;
  if (kind === 'skipped') console.log(`SKIPPED ${line}`);
  else if (!/^(TAP version|1\.\.\d|# (tests|pass|fail) )/u.test(line)) console.log(line);
}

function kindOf(line: string): keyof Counts | null {
  if (/^ok .* # (SKIP|TODO)/u.test(line)) return 'skipped';
  if (line.startsWith('ok ')) return 'passed';
  return line.startsWith('not ok ') ? 'failed' : null;
}

function show({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
