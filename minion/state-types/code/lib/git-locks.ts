import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';

const ROUND_MS = 250;
const MOST_ROUNDS = 40;

/**
 * Takes away the lock files that a git which was killed has left in a working copy: no other gets
 * past them. Waits for a git that still works in it. Throws STATE_REFUSED if it does not end.
 */
export async function clearStaleLocks(target: string, host: Host): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const locks = await locksIn(target, host);
    if (locks.length === 0) return;
    if (!(await isWorkedIn(target, host))) {
      for (const lock of locks) await host.remove(lock);
      return;
    }
    await host.sleep(ROUND_MS);
  }
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot update the checkout "${target}": another git is at work in it`,
  );
}

async function locksIn(target: string, host: HostView): Promise<string[]> {
  const git = `${target}/.git`;
  if ((await host.status(git))?.kind !== 'directory') return [];
  const argv = ['find', git, '-xdev', '-type', 'f', '-name', '*.lock', '-print0'] as const;
  const { stdout } = await host.query(argv);
  return stdout.split('\0').filter((path) => path !== '');
}

/** Whether a program of git has the working copy, or a directory in it, as its own directory. */
async function isWorkedIn(target: string, host: HostView): Promise<boolean> {
  const plain = target.replaceAll(/[*?[\]\\]/gu, String.raw`\$&`);
  const there = ['(', '-lname', plain, '-o', '-lname', `${plain}/*`, ')'];
  const print = ['-printf', String.raw`%h\n`];
  const found = await host.query([
    ...(['find', '/proc', '-maxdepth', '2', '-name', 'cwd'] as const),
    ...there,
    ...print,
  ]);
  const processes = found.stdout.split('\n').filter((path) => path !== '');
  const names = await Promise.all(
    processes.map((path) => host.query(['cat', '--', `${path}/comm`])),
  );
  return names.some(({ stdout }) => stdout.startsWith('git'));
}
