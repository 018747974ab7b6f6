import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';
import type { Host } from '../hosts/host.ts';

const answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('unchanged') }),
  z.object({ status: z.literal('unknown'), because: z.string() }),
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

const answers = z.array(answer.and(z.object({ wrote: z.string() })));

type Step = 'plan' | 'apply' | 'notify';

/** What a state took on a host; `plan` throws if it wrote anything. */
export interface States {
  /** Takes several steps, one after the other. */
  take(type: string, args: unknown, steps: readonly Step[]): Promise<readonly Answer[]>;
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
  await host.exec(['mkdir', '--parents', '/var/lib/conductor/minion', '/var/www']);
  rmSync(directory, { recursive: true });

  async function take(
    type: string,
    args: unknown,
    steps: readonly Step[],
  ): Promise<readonly Answer[]> {
    const input = JSON.stringify({ type, args, steps, ports });
    const argv = [`${DIRECTORY}/node`, `${DIRECTORY}/driver.mjs`] as const;
    const { stdout } = await host.exec(argv, { input, timeoutMs: 600_000 });
    return answers.parse(JSON.parse(stdout)).map(({ wrote, ...answer }) => {
      if (wrote !== '') throw new Error(`a dry run of ${type} wrote ${wrote}`);
      return answer;
    });
  }
  async function one(type: string, args: unknown, step: Step): Promise<Answer> {
    const [answer] = await take(type, args, [step]);
    if (answer === undefined) throw new Error(`no answer for ${type}`);
    return answer;
  }
  return {
    take,
    apply: (type, args) => one(type, args, 'apply'),
    plan: (type, args) => one(type, args, 'plan'),
    notify: (type, args) => one(type, args, 'notify'),
  };
}
