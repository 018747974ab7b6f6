import process from 'node:process';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { seconds } from '../lib/fields.ts';

/** What is known of a reboot that a host needs. */
export type Reboot = {
  /** What is in use only after a reboot, as it was last reported. */
  reported: readonly string[];
  /** Whether the host is about to reboot. */
  scheduled: boolean;
};

const UNIT = 'conductor-reboot.service';
const MARK = 'reboot.required';
const FLAG = '/run/reboot-required';
const UNNAMED = 'something that does not give its name';

const schema = z
  .strictObject({
    name: z.string().min(1).describe('Any name: it says nothing'),
    reboot: z
      .boolean()
      .default(false)
      .describe('Whether the host is rebooted at the end of the run if it needs it'),
    delay: seconds
      .default(5)
      .describe('Seconds between the end of the run and the reboot, in which the report is sent'),
  })
  .describe(
    'Tells of a host that must be rebooted: because a package says so in /run/reboot-required, or because a newer kernel ' +
      'is installed than the one that runs. Each reason is told once, as a change of `reported`. With `reboot` the host ' +
      'is rebooted, too, once this run has ended.',
  );

type Args = z.infer<typeof schema>;

async function textOf(path: string, host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(path)) ?? [])
    .toString()
    .trim();
}

/** What makes a reboot necessary, in order; nothing if none is. */
async function reasons(host: HostView): Promise<string[]> {
  const packages = (await textOf(`${FLAG}.pkgs`, host)).split('\n').filter((name) => name !== '');
  const isFlagged = (await host.status(FLAG)) !== null;
  const flagged = isFlagged && packages.length === 0 ? [UNNAMED] : packages;
  const kernel = await newerKernel(host);
  return [
    ...new Set([...(isFlagged ? flagged : []), ...(kernel === null ? [] : [kernel])]),
  ].toSorted();
}

/** The kernel that would be booted, if it is another than the one that runs. */
async function newerKernel(host: HostView): Promise<string | null> {
  const link = (await host.readLink('/vmlinuz')) ?? '';
  const next = /vmlinuz-(?<release>.+)$/u.exec(link)?.groups?.['release'];
  const running = await textOf('/proc/sys/kernel/osrelease', host);
  return next === undefined || next === running ? null : `linux-image-${next}`;
}

async function read(_args: Args, host: HostView): Promise<Reboot> {
  const reported = (await host.recall(MARK)) ?? '';
  return {
    reported: reported === '' ? [] : reported.split('\n'),
    scheduled: await isScheduled(host),
  };
}

async function isScheduled(host: HostView): Promise<boolean> {
  if ((await host.status('/run/systemd/shutdown/scheduled')) !== null) return true;
  return (await host.query(['systemctl', 'is-active', '--quiet', UNIT])).exitCode === 0;
}

async function want({ reboot }: Args, host: HostView): Promise<Partial<Reboot>> {
  const reported = await reasons(host);
  return { reported, ...(reboot && reported.length > 0 ? { scheduled: true } : {}) };
}

/** A fixed text; what varies comes in as arguments. Waits until the run's own process has ended. */
const AFTER_RUN = 'tail --pid="$1" -f /dev/null; sleep "$2"; exec systemctl reboot';

async function apply(change: Change<Reboot>, { delay }: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { reported, scheduled } = change.to;
  if (reported !== undefined)
    await host.remember(MARK, reported.length === 0 ? null : reported.join('\n'));
  if (scheduled !== true) return;
  const unit = ['systemd-run', '--quiet', '--collect', `--unit=${UNIT}`] as const;
  const waiting = ['sh', '-c', AFTER_RUN, 'sh', String(process.pid), String(delay)];
  await host.run([...unit, '--', ...waiting]);
}

export const rebootRequired = defineState({
  name: 'reboot.required',
  schema,
  example: `new kernels are used at once:
  reboot.required:
    reboot: true
`,
  read,
  want,
  apply,
});
