import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Argv, Output } from '../hosts/command.ts';
import type { ExecOptions } from '../hosts/access.ts';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import type { Fleet } from '../hosts/hosts.ts';
import { ConductorError } from '../../shared/errors.ts';
import { askMaster } from './ask-master.ts';
import { ensurePackage } from './package.ts';

/** Two Debian hosts with Conductor on them, as its users install it: a master with the tree in `tree/`, and both as its minions. */
export interface Site {
  readonly fleet: Fleet;
  readonly conductor: Host;
  readonly appserver: Host;
  /** What no output, log or process may ever show. */
  readonly secret: string;
}

export const TREE = '/srv/conductor';
const SECRET = 'correct-horse-battery-staple-4711';
const CALM = { DEBIAN_FRONTEND: 'noninteractive' };

export async function openSite(log: (line: string) => void): Promise<Site> {
  const fleet = await openFleet({ log });
  try {
    const [deb, conductor, appserver] = await Promise.all([
      ensurePackage(),
      fleet.boot({ name: 'conductor', image: 'base' }),
      fleet.boot({ name: 'appserver', image: 'base' }),
    ]);
    const site = { fleet, conductor, appserver, secret: SECRET };
    await Promise.all([install(conductor, deb), install(appserver, deb)]);
    await startMaster(site);
    await Promise.all([join(site, conductor, []), join(site, appserver, ['web'])]);
    await untilOnline(site, ['appserver', 'conductor']);
    return site;
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

async function install(host: Host, deb: string): Promise<void> {
  await host.exec(['mkdir', '--parents', '/root/gate', '/root/at']);
  // Nobody but Conductor is to change anything on its own.
  await host.exec(['systemctl', 'mask', '--now', 'apt-daily.timer', 'apt-daily-upgrade.timer']);
  await host.copyIn(deb, '/root/conductor.deb');
  await host.exec(['apt-get', 'install', '--yes', '--quiet=2', '/root/conductor.deb'], {
    env: CALM,
  });
}

async function startMaster({ conductor, secret }: Site): Promise<void> {
  await conductor.copyIn('test/e2e/tree', '/root/tree');
  await conductor.exec(['master', 'init', '--from', '/root/tree']);
  const sealed = await conductor.exec(['master', 'seal'], { input: `${secret}\n` });
  await conductor.write(
    `${TREE}/pillars/secrets.yaml`,
    `web:\n  password: ${sealed.stdout.trim()}\n`,
  );
  await conductor.exec(['systemctl', 'enable', '--now', '--quiet', 'conductor-master']);
}

const invitation = z.object({ joinString: z.string() });

/** A join string for one new minion. */
export async function invite(
  { conductor }: Pick<Site, 'conductor'>,
  id: string,
  groups: readonly string[] = [],
): Promise<string> {
  const flags = groups.flatMap((group) => ['--group', group]);
  const argv = ['master', 'keys', 'invite', '--id', id, ...flags, '--json'] as const;
  const { stdout } = await conductor.exec([...argv]);
  return invitation.parse(JSON.parse(stdout)).joinString;
}

async function join(site: Site, host: Host, groups: readonly string[]): Promise<void> {
  const joinString = await invite(site, host.name, groups);
  await host.exec(['minion', 'join'], { input: `${joinString}\n` });
  await host.exec(['systemctl', 'enable', '--now', '--quiet', 'conductor-minion']);
}

const statusSchema = z.object({
  revision: z.object({ revision: z.string() }).nullable(),
  broken: z.object({ message: z.string() }).nullable(),
  minions: z.array(
    z.object({
      id: z.string(),
      online: z.boolean(),
      lastRun: z
        .object({ job: z.string(), cause: z.string(), status: z.string(), revision: z.string() })
        .nullable(),
    }),
  ),
});

export type Status = z.infer<typeof statusSchema>;

export async function statusOf({ conductor }: Pick<Site, 'conductor'>): Promise<Status> {
  return askMaster(conductor, '/status', statusSchema);
}

export async function untilOnline(
  site: Pick<Site, 'conductor'>,
  ids: readonly string[],
  seconds = 60,
): Promise<void> {
  await until(`${ids.join(' and ')} to be online`, seconds, async () => {
    const minions = await onlineMinions(site);
    return ids.every((id) => minions.includes(id));
  });
}

/** None while the master cannot be asked. */
async function onlineMinions(site: Pick<Site, 'conductor'>): Promise<string[]> {
  try {
    const { minions } = await statusOf(site);
    return minions.filter(({ online }) => online).map(({ id }) => id);
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'MASTER_UNREACHABLE') return [];
    throw error;
  }
}

/** Waits for something to become true; throws, with what was waited for, if it does not. */
export async function until(
  what: string,
  seconds: number,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  // To ask costs a processor's time, which others need: what takes long is asked for more and more seldom.
  for (let pause = 100; !(await isTrue()); pause = Math.min(1_000, pause * 1.1)) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(pause);
  }
}

const change = z.object({
  action: z.string(),
  to: z.record(z.string(), z.unknown()).optional(),
});

const outcomeSchema = z.object({
  key: z.string(),
  id: z.string(),
  type: z.string(),
  status: z.string(),
  change: change.optional(),
  diff: z.string().optional(),
  origin: z.object({ kind: z.string(), times: z.number().optional() }).optional(),
  before: z.object({ kept: z.string().optional() }).optional(),
  reaction: z.string().optional(),
  because: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  startedAt: z.string(),
});

export type ShownOutcome = z.infer<typeof outcomeSchema>;

const targetSchema = z.object({
  minion: z.string(),
  state: z.string(),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
  report: z
    .object({
      status: z.string(),
      counts: z.record(z.string(), z.number()),
      outcomes: z.array(outcomeSchema),
      owed: z.array(z.string()),
    })
    .nullable(),
});

const appliedSchema = z.object({
  job: z.string(),
  revision: z.string(),
  exitCode: z.number(),
  targets: z.array(targetSchema),
});

export type Applied = z.infer<typeof appliedSchema> & {
  /** Of the one target, where there is one. */
  readonly outcomes: readonly ShownOutcome[];
};

/** `master apply … --json`: what it said, and how it ended. Throws if it did not say anything. */
export async function apply(
  { conductor }: Pick<Site, 'conductor'>,
  target: string,
  ...flags: readonly string[]
): Promise<Applied> {
  const argv = ['master', 'apply', '--target', target, '--json', ...flags] as const;
  const { stdout, stderr, exitCode } = await conductor.exec([...argv], { allowFailure: true });
  if (stdout === '') throw new Error(`"${argv.join(' ')}" exited with ${exitCode}: ${stderr}`);
  const applied = appliedSchema.parse(JSON.parse(stdout));
  if (applied.exitCode !== exitCode)
    throw new Error(`it says ${applied.exitCode} and exits with ${exitCode}`);
  return { ...applied, outcomes: applied.targets[0]?.report?.outcomes ?? [] };
}

/** Begins a job and does not wait for it; its id. */
export async function beginApply(
  { conductor }: Pick<Site, 'conductor'>,
  target: string,
  ...flags: readonly string[]
): Promise<string> {
  const argv = ['master', 'apply', '--target', target, '--detach', ...flags] as const;
  const { stdout } = await conductor.exec([...argv]);
  return stdout.trim();
}

const shownJob = z.object({
  targets: z.array(
    z.object({
      minion: z.string(),
      state: z.string(),
      online: z.boolean(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
});

/** How the first target of a job stands. */
export async function targetOf({ conductor }: Pick<Site, 'conductor'>, job: string) {
  const [target] = (await askMaster(conductor, `/jobs/${job}`, shownJob)).targets;
  if (target === undefined) throw new Error(`job ${job} has no target`);
  return target;
}

/** Changes a file of the tree and waits until the master has published it. */
export async function publish(site: Site, path: string, content: string): Promise<void> {
  const before = await statusOf(site);
  await site.conductor.write(`${TREE}/${path}`, content);
  await until(`a revision with the new ${path}`, 20, async () => {
    const { revision } = await statusOf(site);
    return revision?.revision !== before.revision?.revision;
  });
}

/** A command that may fail: its exit code and all that it printed. */
export async function attempt(
  host: Host,
  argv: Argv,
  options: ExecOptions = {},
): Promise<Output & { readonly output: string }> {
  const done = await host.exec(argv, { ...options, allowFailure: true });
  return { ...done, output: done.stdout + done.stderr };
}

/** A few words of shell on a host: how tests disturb it and look at it. */
export async function sh(host: Host, script: string): Promise<string> {
  const { stdout } = await host.exec(['/bin/bash', '-ec', script]);
  return stdout.trim();
}
