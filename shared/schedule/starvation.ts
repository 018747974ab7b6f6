import { nextWall, WEEKDAYS } from './cron.ts';
import type { Cron } from './cron.ts';
import type { Rule } from './schedule.ts';
import { isOpen } from './windows.ts';
import type { Week } from './windows.ts';
import { DAY_MS, MINUTE_MS } from './zone.ts';

export interface Starvation {
  readonly message: string;
  readonly help: string;
}

/**
 * Why a schedule's own moments and its windows do not go together; `null` if they do. What is due less than
 * once a week is judged by the next times it is.
 */
export function starvation(rule: Rule, week: Week | null): Starvation | null {
  if (week === null || rule.kind !== 'cron') return null;
  const due = dueTimes(rule.cron);
  const minutes = Math.floor(rule.splaySeconds / 60);
  const splays = Array.from({ length: minutes + 1 }, (_, minute) => minute * MINUTE_MS);
  const isLeftOut = (splay: number): boolean => !due.some((wall) => isOpen(week, wall + splay));
  const first = splays.find(isLeftOut);
  if (first === undefined) return null;
  if (splays.every(isLeftOut)) {
    const message = 'none of the times at which it is due within 7 days is allowed by the windows';
    return { message, help: 'change the time, or the windows' };
  }
  const [example = 0] = due;
  return {
    message: `the splay takes minions out of the windows: due ${clock(example)}, one of them comes ${clock(example + first)}`,
    help: 'make the splay shorter, or the windows wider',
  };
}

/** A Monday, long before and after which there is nothing special. */
const SOME_MONDAY = Date.UTC(2024, 0, 1);
const FEWEST = 24;

function dueTimes(cron: Cron): readonly number[] {
  const walls: number[] = [];
  for (let wall = nextWall(cron, SOME_MONDAY - 1); wall !== null; wall = nextWall(cron, wall)) {
    if (wall >= SOME_MONDAY + 7 * DAY_MS && (walls.length >= FEWEST || isWeekly(walls))) break;
    walls.push(wall);
  }
  return walls;
}

/** Whether it has been due within the week. */
function isWeekly([first]: readonly number[]): boolean {
  return first !== undefined && first < SOME_MONDAY + 7 * DAY_MS;
}

function clock(wall: number): string {
  const date = new Date(wall);
  return `${WEEKDAYS[date.getUTCDay()] ?? ''} ${date.toISOString().slice(11, 16)}`;
}
