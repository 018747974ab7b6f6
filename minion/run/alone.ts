import type { RunEvent } from '../../protocol/report.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { RunGroup } from '../host/run-group.ts';
import { endKilledRun, forgetRunning, holderOf, noteRunning } from './holder.ts';
import { takeLock } from './lock.ts';

/** How long a run waits for another one to end, unless its own time is shorter. */
const LOCK_WAIT_SECONDS = 600;
/** How often one that waits looks for whom. */
const LOOK_MS = 2_000;

interface Means {
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly emit: (event: RunEvent) => void;
  readonly enterGroup?: () => Promise<RunGroup>;
}

/**
 * Does the work of a run while no other one is under way on this minion, and after what a killed one has left is
 * ended. Whom it waits for is told as it waits; RUN_BUSY is thrown if that takes too long.
 */
export async function alone(
  request: RunRequest,
  means: Means,
  act: (group: RunGroup | undefined) => Promise<void>,
): Promise<void> {
  const lock = await lockFor(request, means);
  try {
    const { stateDirectory, options } = request;
    // A dry run writes nothing, not even in the kernel's own file systems.
    if (options.dryRun) return await act(undefined);
    await endKilledRun(stateDirectory, means.log);
    await grouped(means, async (group) => {
      noteRunning(stateDirectory, options, group?.directory ?? null);
      await act(group).finally(() => forgetRunning(stateDirectory));
    });
  } finally {
    lock.release();
  }
}

async function lockFor(
  { stateDirectory, queue, options: { dryRun, timeoutSeconds } }: RunRequest,
  { signal, emit }: Means,
): ReturnType<typeof takeLock> {
  const waitSeconds = queue === false ? 0 : Math.min(timeoutSeconds, LOCK_WAIT_SECONDS);
  let told: string | null = null;
  let looking: NodeJS.Timeout | undefined;
  const look = (): void => {
    const holder = holderOf(stateDirectory);
    const words = JSON.stringify(holder);
    if (words !== told) emit({ event: 'waiting', seconds: waitSeconds, holder });
    told = words;
  };
  const onWait = (): void => {
    look();
    looking = setInterval(look, LOOK_MS);
  };
  try {
    return await takeLock({ stateDirectory, dryRun, waitSeconds, signal, onWait });
  } finally {
    clearInterval(looking);
  }
}

/** A run that cannot have a cgroup of its own does without. */
async function grouped(
  { enterGroup, log }: Means,
  act: (group: RunGroup | undefined) => Promise<void>,
): Promise<void> {
  const group = await enterGroup?.().catch((error: unknown) => {
    log.warn({ problem: messageOf(error) }, 'Run has no cgroup of its own');
    return undefined;
  });
  try {
    await act(group);
  } finally {
    await group?.leave().catch((error: unknown) => {
      log.error({ error }, 'Cgroup of the run could not be left');
    });
  }
}
