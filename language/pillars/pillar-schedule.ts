import { readSchedule } from '../../shared/schedule/read-schedule.ts';
import type { ScheduleIssue } from '../../shared/schedule/reading.ts';
import type { Place } from '../place.ts';
import type { Problems } from '../problem.ts';
import type { DataMapping } from '../values/data.ts';
import { isDynamic } from '../expression.ts';
import { dataOf, entryOf, isBroken, type MappingNode, type Node } from '../values/node.ts';
import type { Origins } from './pillar-origin.ts';

/** Tells what is wrong with the `schedule` of a whole pillar, where it was set. */
export function checkSchedule(pillar: DataMapping, origins: Origins, problems: Problems): void {
  if (pillar['schedule'] === undefined) return;
  for (const { path, message, help } of readSchedule(pillar['schedule']).issues) {
    const place = originOf(['schedule', ...path.map(String)], origins);
    if (place !== null) problems.add(place, inWords(path, message), { help });
  }
}

/** Of the value, or of the nearest that it stands in. */
function originOf(path: readonly string[], origins: Origins): Place | null {
  if (path.length === 0) return origins.values().next().value?.place ?? null;
  return origins.get(path.join('.'))?.place ?? originOf(path.slice(0, -1), origins);
}

function inWords(path: ScheduleIssue['path'], message: string): string {
  return `${['schedule', ...path].join('.')}: ${message}`;
}

/** The same of one pillar file, as far as it can be judged alone. */
export function lintSchedule(file: MappingNode, problems: Problems): void {
  const entry = entryOf(file, 'schedule');
  if (entry === null || !isLiteral(entry.value)) return;
  for (const { path, message, help } of readSchedule(dataOf(entry.value), { isPart: true }).issues)
    problems.add(placeOf(entry.value, path), inWords(path, message), { help });
}

/** Whether nothing in it is computed, sealed, or made of what another file says. */
function isLiteral(node: Node): boolean {
  return !isBroken(node) && !isDynamic(node) && isPlain(node);
}

function isPlain(node: Node): boolean {
  if (node.kind === 'sequence') return node.items.every(isPlain);
  if (node.kind === 'mapping')
    return node.entries.every(({ key, value }) => !/^[+-]/u.test(key) && isPlain(value));
  return node.kind === 'scalar' && node.sealed !== true;
}

function placeOf(node: Node, [key, ...rest]: ScheduleIssue['path']): Place {
  if (key === undefined) return node.place;
  const below = partOf(node, key);
  return below === null ? node.place : placeOf(below, rest);
}

function partOf(node: Node, key: string | number): Node | null {
  if (node.kind === 'sequence') return node.items[Number(key)] ?? null;
  return node.kind === 'mapping' ? (entryOf(node, String(key))?.value ?? null) : null;
}
