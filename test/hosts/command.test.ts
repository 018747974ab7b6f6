import test from 'ava';
import { run } from './command.ts';

test('output is kept of a program whose end is noticed before it', async (t) => {
  // While what the first one says is looked at, the other one speaks and ends. The end of both is noticed at once, and
  // then this process is held up again.
  function lookLong(): void {
    holdUp(1_000);
    setImmediate(() => holdUp(1_000));
  }
  const first = run(['/bin/sh', '-c', 'echo first'], { onOutput: lookLong });
  const other = run(['/bin/sh', '-c', 'sleep 1; echo other']);
  holdUp(500);
  t.is((await other).stdout, 'other\n');
  t.is((await first).stdout, 'first\n');
});

test('a program is not waited for longer because it left its output to another', async (t) => {
  const { stdout } = await run(['/bin/sh', '-c', 'echo said; sleep 600 & echo $!']);
  const [said, pid] = stdout.split('\n');
  t.is(said, 'said');
  t.notThrows(() => process.kill(Number(pid), 'SIGKILL'));
});

/** Nothing else happens in this process meanwhile. */
function holdUp(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
