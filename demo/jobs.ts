import { z } from 'zod';
import type { Host } from '../test/hosts/host.ts';
import type { Narrator } from './narrate.ts';

const counts = z.object({
  total: z.int(),
  changed: z.int(),
  wouldChange: z.int(),
  failed: z.int(),
  unknown: z.int(),
});

export type Counts = z.infer<typeof counts>;

const jobShown = z.object({ targets: z.array(z.object({ minion: z.string(), counts })) });

/** `master apply`, shown as it happens; what came of it on its one target. Throws unless it exits with 0. */
export async function apply(conductor: Host, target: string, narrator: Narrator): Promise<Counts> {
  const argv = ['master', 'apply', '--target', target] as const;
  const { stdout, stderr } = await narrator.show(conductor, argv, { timeoutMs: 600_000 });
  const job = /^job ([0-9a-f-]{36})/m.exec(stderr + stdout)?.[1];
  if (job === undefined)
    throw new Error('Cannot go on: "master apply" did not say which job it began');
  const shown = await conductor.exec(['master', 'jobs', 'show', job, '--json']);
  const [only] = jobShown.parse(JSON.parse(shown.stdout)).targets;
  if (only === undefined) throw new Error(`Cannot go on: the job ${job} has no target`);
  return only.counts;
}

const outcomeEvent = z.object({
  event: z.literal('run'),
  run: z.object({
    event: z.literal('outcome'),
    outcome: z.object({
      type: z.string(),
      id: z.string(),
      status: z.string(),
      because: z.string().optional(),
      reaction: z.string().optional(),
    }),
  }),
});

export type ShownOutcome = z.infer<typeof outcomeEvent>['run']['outcome'];

/** What a dry run foresees: everything that is not as it should be, or that it cannot know. */
export async function dryRun(
  conductor: Host,
  target: string,
  narrator: Narrator,
): Promise<readonly ShownOutcome[]> {
  narrator.say(`$ master apply --target ${target} --dry-run`);
  const argv = ['master', 'apply', '--target', target, '--dry-run', '--output', 'ndjson'] as const;
  const { stdout } = await conductor.exec([...argv], { timeoutMs: 300_000 });
  const outcomes = stdout.split('\n').flatMap((line) => {
    const event = line === '' ? null : outcomeEvent.safeParse(JSON.parse(line));
    return event?.success === true ? [event.data.run.outcome] : [];
  });
  return outcomes.filter(({ status }) => status !== 'unchanged' && status !== 'skipped');
}
