import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRunNow } from './command.ts';
import { HostError } from './host-error.ts';
import { pause } from './processes.ts';

/** A writable tree over read-only ones: `layers` from the topmost down. All that is written goes to `directory`/upper. */
export function mountOverlay(directory: string, layers: readonly string[]): string {
  const odd = [directory, ...layers].find((path) => /[:,\\\s]/.test(path));
  if (odd !== undefined) {
    throw new HostError(
      `Cannot mount over "${odd}": blanks, commas, colons and backslashes do not fit mount options`,
    );
  }
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => join(directory, name));
  for (const path of [upper, work, root]) mkdirSync(path ?? '', { recursive: true, mode: 0o755 });
  const options = `lowerdir=${layers.join(':')},upperdir=${upper},workdir=${work}`;
  mustRunNow(['mount', '-t', 'overlay', '-o', options, 'overlay', join(directory, 'root')]);
  return join(directory, 'root');
}

/** Undoes every mount at or below a directory, the deepest first. */
export function unmountBelow(directory: string): void {
  for (const mountPoint of mountsBelow(directory).toReversed()) unmount(mountPoint);
}

/** Removes a directory with all it holds. Nothing is removed while something is still mounted in it. */
export function removeDirectory(directory: string): void {
  unmountBelow(directory);
  const [left] = mountsBelow(directory);
  if (left !== undefined)
    throw new HostError(`Cannot remove "${directory}": "${left}" is still mounted`);
  if (existsSync(directory)) rmSync(directory, { recursive: true, force: true });
}

/** The mount points at or below a directory, in the order they were made. */
export function mountsBelow(directory: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const points = lines.map((line) => unescapeMountPoint(line.split(' ')[4] ?? ''));
  return points.filter((point) => point === directory || point.startsWith(`${directory}/`));
}

/** A killed system lets go of its tree a moment after its last process is gone. */
function unmount(mountPoint: string): void {
  for (let left = 50; left > 0; left -= 1) {
    try {
      mustRunNow(['umount', mountPoint]);
      return;
    } catch (error) {
      if (left === 1) throw error;
      pause(100);
    }
  }
}

function unescapeMountPoint(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}
