import type { Surroundings } from '../../../../shared/surroundings.ts';
import type { FoundBelow, Host } from '../../../host/host.ts';
import { pathsTo } from './choose.ts';

const OF_SYSTEM =
  /^\/(?:bin|boot|dev|etc|home|lib|lib64|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)?(?:\/(?:bin|lib|local|sbin|share|log))?$/u;

/** Whether the system fills a directory, so that no tree can know all that belongs there. */
export function isOfSystem(path: string): boolean {
  return OF_SYSTEM.test(path);
}

/** What other declarations bring about below a directory, as paths without the directory's own. */
export function providedBelow(name: string, { provided }: Surroundings): string[] {
  const start = `path:${name}/`;
  return provided().flatMap((resource) =>
    resource.startsWith(start) ? [resource.slice(start.length)] : [],
  );
}

export interface Keeping {
  /** These stay, with all that is below them and the directories above them. */
  readonly kept: readonly string[];
  /** So does what this says of a path. */
  readonly isExcluded: (path: string) => boolean;
}

/** What is to go below a directory; a directory stands for all that is in it. */
export function unwantedBelow(
  found: readonly FoundBelow[],
  { kept, isExcluded }: Keeping,
): string[] {
  const keptPaths = new Set(kept);
  const staying = found.filter(
    ({ path }) => isExcluded(path) || pathsTo(path).some((at) => keptPaths.has(at)),
  );
  // What is kept may not be there yet: the directories for it stay all the same.
  const needed = new Set([...staying.map(({ path }) => path), ...kept].flatMap(pathsTo));
  const going = new Set(found.map(({ path }) => path).filter((path) => !needed.has(path)));
  return [...going].filter(
    (path) =>
      !pathsTo(path)
        .slice(1)
        .some((above) => going.has(above)),
  );
}

export async function removeBelow(
  directory: string,
  names: readonly string[],
  host: Host,
): Promise<void> {
  for (const name of names) await host.remove(`${directory}/${name}`);
}
