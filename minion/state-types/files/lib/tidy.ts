import type { FoundBelow } from '../../../host/host.ts';
import type { TidyArgs } from '../file-tidied-schema.ts';
import { pathsTo } from './choose.ts';

interface Criteria extends Omit<TidyArgs, 'matches' | 'exclude'> {
  readonly matches: readonly RegExp[];
  readonly exclude: readonly RegExp[];
}

interface Where {
  readonly path: string;
  readonly now: number;
}

const DAY_MS = 86_400_000;

/** What goes below a directory, each directory in place of all that is in it. */
export function tidyBelow(
  found: readonly FoundBelow[],
  where: Where,
  criteria: Criteria,
): string[] {
  const going = new Set<string>();
  const staying = new Set<string>();
  // What is in a directory comes after it: from the end, all of it has been judged before.
  for (const one of found.toReversed()) {
    const goes = isUnwanted(one, where, criteria) && !staying.has(one.path);
    if (goes) going.add(one.path);
    else for (const path of pathsTo(one.path)) staying.add(path);
  }
  const paths = found.map(({ path }) => path).filter((path) => going.has(path));
  return paths.filter(
    (path) =>
      !pathsTo(path)
        .slice(1)
        .some((above) => going.has(above)),
  );
}

function isUnwanted(one: FoundBelow, { path, now }: Where, criteria: Criteria): boolean {
  const { kind } = one;
  if (kind === 'other') return false;
  if (kind === 'directory' && !criteria.rmdirs) return false;
  if (kind === 'symlink' && !criteria.rmlinks) return false;
  const name = criteria.full_path_match ? `${path}/${one.path}` : one.path.replace(/^.*\//su, '');
  const isNamed = criteria.matches.some((regex) => regex.test(name));
  return (
    isNamed && !criteria.exclude.some((regex) => regex.test(name)) && isTooMuch(one, now, criteria)
  );
}

function isTooMuch(one: FoundBelow, now: number, criteria: Criteria): boolean {
  const { age, size, time_comparison: time, age_size_logical_operator: operator } = criteria;
  const days = (now - one[`${time}Ms`]) / DAY_MS;
  const tests = [
    ...(age === undefined ? [] : [days >= age]),
    ...(size === undefined || one.kind === 'directory' ? [] : [one.size >= size]),
  ];
  if (tests.length === 0) return true;
  return operator === 'AND' ? tests.every(Boolean) : tests.some(Boolean);
}
