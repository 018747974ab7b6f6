import { readFileSync, readdirSync } from 'node:fs';
import type { Host } from '../../../minion/host/host.ts';
import type { Hosts } from '../../../minion/host/view.ts';
import { systemCode } from '../../../shared/errors.ts';

/** One thing that was done to the host. */
export interface Effect {
  readonly kind: string;
  readonly what: string;
  milliseconds: number;
}

/** When a run is to die: before its n-th effect, or so long after that has begun. */
export interface Death {
  readonly effect: number;
  /** `null`: before it. */
  readonly afterMs: number | null;
}

/** Notes every effect on the hosts, and dies where it is told to. */
export function throughEffects(effects: Effect[], death: Death | null): (hosts: Hosts) => Hosts {
  return (hosts) => ({ within: (signal) => counting(hosts.within(signal), effects, death) });
}

function counting(host: Host, effects: Effect[], death: Death | null): Host {
  const noting = async <T>(kind: string, what: string, act: () => Promise<T>): Promise<T> => {
    const effect = { kind, what, milliseconds: 0 };
    const isLast = death !== null && effects.push(effect) === death.effect;
    if (death === null) effects.push(effect);
    if (isLast) dieAt(death);
    const begun = performance.now();
    try {
      return await act();
    } finally {
      effect.milliseconds = performance.now() - begun;
    }
  };
  return {
    ...host,
    run: (argv, options) =>
      noting('run', argv.slice(0, 3).join(' '), () => host.run(argv, options)),
    writeFile: (path, ...rest) => noting('writeFile', path, () => host.writeFile(path, ...rest)),
    writeFiles: (files) => noting('writeFiles', '', () => host.writeFiles(files)),
    makeDirectory: (path, ...rest) =>
      noting('makeDirectory', path, () => host.makeDirectory(path, ...rest)),
    makeDirectories: (paths, ...rest) =>
      noting('makeDirectories', paths.join(' '), () => host.makeDirectories(paths, ...rest)),
    own: (path, ...rest) => noting('own', path, () => host.own(path, ...rest)),
    link: (path, ...rest) => noting('link', path, () => host.link(path, ...rest)),
    rename: (from, to) => noting('rename', from, () => host.rename(from, to)),
    remove: (path) => noting('remove', path, () => host.remove(path)),
    remember: (name, value) => noting('remember', name, () => host.remember(name, value)),
    keep: (name, content) => noting('keep', name, () => host.keep(name, content)),
  };
}

function dieAt({ afterMs }: Death): void {
  if (afterMs === null) die();
  else setTimeout(die, afterMs);
}

/** As when the power fails: we and all that we have started are gone at once. */
function die(): void {
  const stopped = new Set<number>();
  for (let count = -1; count < stopped.size;) {
    count = stopped.size;
    for (const pid of descendants()) {
      if (!stopped.has(pid)) signal(pid, 'SIGSTOP');
      stopped.add(pid);
    }
  }
  for (const pid of stopped) signal(pid, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
}

function descendants(): ReadonlySet<number> {
  const pairs = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(parentOf);
  const found = new Set([process.pid]);
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const [pid, parent] of pairs) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return found;
}

/** A process that has ended meanwhile has no parent. */
function parentOf(pid: string): readonly [number, number] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [Number(pid), Number(parent)];
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return [Number(pid), 0];
    throw error;
  }
}

/** Gone already is as good. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
