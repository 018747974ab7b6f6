import { join } from 'node:path';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { endGroup, makeGroup, membersOf, moveTo, ownCgroup } from './cgroup.ts';
import { familyOf, processOf } from './processes.ts';

/**
 * All that one run has started, by the kernel's own book: a cgroup. What forks, starts a session of its own or
 * loses its parent is still in it. What a service manager starts for the run is not, and is left alone.
 */
export interface RunGroup {
  /** Of the group, for whoever has to end it if the run is killed. */
  readonly directory: string;
  /** A command is to be started. */
  begin(): void;
  /** A command has ended. What the last one has left is its own from now on: it may have been a daemon's start. */
  end(): void;
  /** Ends a command, by the process group that it leads, and everything that it has left in the run. */
  stop(leader: number, graceMs: number): Promise<void>;
  /** The run has ended: this process is where it was before, and the group is gone. */
  leave(): Promise<void>;
}

/** Whoever forks faster than this stays, and ends with the run. */
const MOST_ROUNDS = 20;
/** Between TERM and KILL, for what a killed run has left. */
const GRACE_MS = 10_000;

/** Ends what a process that was a run, and was started by this one, has left; nothing if it ended in order. */
export async function endRunGroup(pid: number): Promise<void> {
  const own = ownCgroup();
  if ('directory' in own) await endGroup(runGroupOf(own.directory, pid), GRACE_MS);
}

function runGroupOf(base: string, pid: number): string {
  return join(base, `conductor-run-${pid}`);
}

/** Puts this process into a group of its own. Throws COMMAND_FAILED, with why, where that cannot be. */
export async function enterRunGroup(): Promise<RunGroup> {
  const own = ownCgroup();
  if ('why' in own) throw noGroup(own.why);
  const { directory: base } = own;
  const directory = runGroupOf(base, process.pid);
  try {
    // Of a process that had our number, and was killed.
    await endGroup(directory, GRACE_MS);
    makeGroup(directory);
    moveTo(directory, process.pid);
  } catch (error) {
    throw noGroup(messageOf(error));
  }
  return createRunGroup(base, directory);
}

function noGroup(why: string): ConductorError {
  return new ConductorError('COMMAND_FAILED', `Cannot give the run a cgroup of its own: ${why}`);
}

function createRunGroup(base: string, directory: string): RunGroup {
  let commands = 0;
  let stops = 0;
  return {
    directory,
    begin: () => {
      commands += 1;
    },
    end: () => {
      commands -= 1;
      if (commands === 0) release(base, directory);
    },
    stop: async (leader, graceMs) => {
      stops += 1;
      const doomed = join(directory, `stopped-${stops}`);
      makeGroup(doomed);
      await endGroup(doomed, graceMs, () => {
        const known = new Set(membersOf(doomed));
        const family = familyOf(leader).map(({ pid }) => pid);
        for (const pid of [...family, ...strays(directory)])
          if (!known.has(pid)) moveTo(doomed, pid);
      });
    },
    leave: async () => {
      moveTo(base, process.pid);
      await endGroup(directory, 0);
    },
  };
}

/** Lets go of what the commands that have ended have left, and of what that starts meanwhile. */
function release(base: string, directory: string): void {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const left = strays(directory);
    if (left.length === 0) return;
    for (const pid of left) moveTo(base, pid);
  }
}

/** Those in the group itself that descend from nobody in the run any more. */
function strays(directory: string): readonly number[] {
  const members = membersOf(directory);
  if (members.length <= 1) return [];
  return members.filter((pid) => pid !== process.pid && !isOurs(pid));
}

/** Whether a process descends from this one. */
function isOurs(pid: number): boolean {
  for (let one = processOf(pid); one !== null; one = processOf(one.parent)) {
    if (one.parent === process.pid) return true;
    if (one.parent <= 1) return false;
  }
  return false;
}
