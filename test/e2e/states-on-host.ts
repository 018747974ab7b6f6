import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';
import type { Host } from '../hosts/host.ts';

const answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('unchanged') }),
  z.object({
    status: z.enum(['changed', 'would-change']),
    change: z
      .object({
        action: z.enum(['create', 'update', 'remove']),
        to: z.record(z.string(), z.unknown()).default({}),
      })
      .nullable(),
    reaction: z.string().nullable(),
  }),
  z.object({
    status: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    output: z.string(),
  }),
]);
export type Answer = z.infer<typeof answer>;

/** What a state took on a host. */
export interface States {
  /** Brings it about. */
  apply(type: string, args: unknown): Promise<Answer>;
  /** Says what it would take. */
  plan(type: string, args: unknown): Promise<Answer>;
  /** Brings it about, and tells it that something that it watches has changed. */
  notify(type: string, args: unknown): Promise<Answer>;
}

const DIRECTORY = '/opt/conductor-proof';

/** Puts the engine and all state types on a host, with the node that runs this test. */
export async function statesOn(
  host: Host,
  ports: Readonly<Record<string, number>> = {},
): Promise<States> {
  const directory = mkdtempSync(join(tmpdir(), 'driver-'));
  const outfile = join(directory, 'driver.mjs');
  await build({
    entryPoints: ['test/e2e/state-driver.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  await host.copyIn(outfile, `${DIRECTORY}/driver.mjs`);
  await host.copyIn(process.execPath, `${DIRECTORY}/node`);
  await host.exec(['mkdir', '--parents', '/var/lib/conductor/minion']);
  rmSync(directory, { recursive: true });

  async function drive(
    type: string,
    args: unknown,
    { dryRun, notified }: { dryRun: boolean; notified: boolean },
  ): Promise<Answer> {
    const input = JSON.stringify({ type, args, dryRun, notified, ports });
    const argv = [`${DIRECTORY}/node`, `${DIRECTORY}/driver.mjs`] as const;
    const { stdout } = await host.exec(argv, { input, timeoutMs: 600_000 });
    return answer.parse(JSON.parse(stdout));
  }
  return {
    apply: (type, args) => drive(type, args, { dryRun: false, notified: false }),
    plan: (type, args) => drive(type, args, { dryRun: true, notified: false }),
    notify: (type, args) => drive(type, args, { dryRun: false, notified: true }),
  };
}
