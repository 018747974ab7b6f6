import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';

/** That what is read for many declarations is read once: by the programs that a whole run starts. */

const onHosts = await testOnHosts(test);
const HOME = '/opt/conductor-many';

/** The program `minion` in one file, and the tree `many/`. */
async function install(host: Host): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'minion-'));
  const outfile = join(directory, 'minion.mjs');
  await build({
    entryPoints: ['minion/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  await host.copyIn(outfile, `${HOME}/minion.mjs`);
  await host.copyIn(process.execPath, `${HOME}/node`);
  await host.copyIn('test/e2e/many', `${HOME}/tree`);
  rmSync(directory, { recursive: true });
}

function applying(count: number): readonly [string, ...string[]] {
  const program = [`${HOME}/node`, `${HOME}/minion.mjs`] as const;
  return [...program, 'apply', '--tree', `${HOME}/tree`, '--set', `count=${count}`];
}

/** How often each program was started in a run that found everything right, but for the run itself. */
async function startedBy(host: Host, count: number): Promise<Readonly<Record<string, number>>> {
  const strace = ['strace', '-f', '-o', '/run/started', '-e', 'trace=execve'];
  const { stdout } = await host.exec(['strace', ...strace.slice(1), ...applying(count)]);
  const said = stdout.trim().split('\n').at(-1) ?? '';
  if (!/ ok .* (?:unchanged|skipped)/u.test(said)) throw new Error(`it was not quiet: ${stdout}`);
  const trace = await host.read('/run/started');
  const started: Record<string, number> = {};
  for (const [, program = ''] of trace.matchAll(/execve\("([^"]+)".* = 0$/gm))
    started[program] = (started[program] ?? 0) + 1;
  return started;
}

onHosts('a quiet run starts no more programs for more declarations of a kind', async (t) => {
  t.timeout(900_000);
  const fleet = await openFleet({ log: () => undefined });
  try {
    const host = await fleet.boot({ name: 'many', image: 'full' });
    await install(host);
    await host.exec(['systemctl', 'start', 'postgresql', 'mariadb', 'cron']);
    await host.exec([...applying(10)], { timeoutMs: 300_000 });
    const few = await startedBy(host, 4);
    const many = await startedBy(host, 10);
    t.deepEqual(many, few);
    const total = Object.values(many).reduce((sum, count) => sum + count, 0);
    t.log(`${total} programs for 300 declarations: ${JSON.stringify(many)}`);
    t.true(total < 40);
  } finally {
    await fleet.close();
  }
});
