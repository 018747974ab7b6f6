import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../hosts/command.ts';
import type { Host } from '../../hosts/host.ts';

/** Every directory of a host under watch by the kernel, from outside: whoever writes, whatever becomes of it. */

export interface Watch {
  readonly directories: number;
  /** Ends it; the paths in which something was made, changed, renamed or removed meanwhile. */
  stop(): readonly string[];
}

/** Of these the system's own journal is written to all the time, and what systemd keeps of the units it is asked to run. */
const SYSTEMS_OWN =
  /^\/(?:var|run)\/log\/journal(?:\/|$)|^\/run\/systemd\/(?:journal|units|transient|propagate|sessions|users)(?:\/|$)/u;

export async function watchWrites(host: Host): Promise<Watch> {
  const inside = `/proc/${host.leader}/root`;
  const written = new Set<string>();
  const watchers: FSWatcher[] = [];
  for (const [start, base] of [
    [host.root, host.root],
    ...['run', 'tmp', 'dev/shm'].map((name) => [`${inside}/${name}`, inside] as const),
  ] as const) {
    const { stdout } = await run(['find', start, '-xdev', '-type', 'd', '-print0']);
    for (const path of stdout.split('\0').filter(Boolean)) {
      const shown = path.slice(base.length) || '/';
      if (SYSTEMS_OWN.test(shown)) continue;
      watchers.push(watch(path, (_event, name) => written.add(join(shown, name ?? ''))));
    }
  }
  return {
    directories: watchers.length,
    stop() {
      for (const watcher of watchers) watcher.close();
      return [...written].filter((path) => !SYSTEMS_OWN.test(path)).toSorted();
    },
  };
}
