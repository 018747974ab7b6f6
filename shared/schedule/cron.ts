import { didYouMean } from '../suggest.ts';
import { DAY_MS, MINUTE_MS } from './zone.ts';

/** When a cron expression is due, by the wall clock. */
export interface Cron {
  /** Minutes of the day, in order. */
  readonly times: readonly number[];
  readonly months: ReadonlySet<number>;
  /** Of the month. */
  readonly days: ReadonlySet<number>;
  /** Sunday is 0. */
  readonly weekdays: ReadonlySet<number>;
  /** Cron's own rule: if both kinds of day are narrowed down, either of them will do. */
  readonly isEitherDay: boolean;
  /** Its hours begin with `*`: it goes by time that passes, not by a time of day. */
  readonly isEveryHour: boolean;
}

interface Field {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  /** The first stands for `lowest`. */
  readonly names: readonly string[];
}

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

const FIELDS: readonly Field[] = [
  { name: 'minute', lowest: 0, highest: 59, names: [] },
  { name: 'hour', lowest: 0, highest: 23, names: [] },
  { name: 'day of the month', lowest: 1, highest: 31, names: [] },
  { name: 'month', lowest: 1, highest: 12, names: MONTHS },
  { name: 'day of the week', lowest: 0, highest: 7, names: WEEKDAYS },
];

const MACROS: ReadonlyMap<string, string> = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
]);

/** Reads a cron expression; `wrong` is told what is not one. */
export function parseCron(text: string, wrong: (message: string) => void): Cron | null {
  const words = text.trim();
  if (words.startsWith('@') && !MACROS.has(words)) {
    wrong(`"${words}" is unknown${didYouMean(words, MACROS.keys())}`);
    return null;
  }
  const parts = (MACROS.get(words) ?? words).split(/\s+/u);
  if (parts.length !== FIELDS.length) {
    wrong(`has ${parts.length} fields, not five: minute, hour, day, month, day of the week`);
    return null;
  }
  const sets = FIELDS.map((field, index) => {
    const text = parts[index] ?? '';
    const found = parseField(text, field);
    if (typeof found !== 'string') return found;
    wrong(`${field.name} "${text}": ${found}`);
    return null;
  });
  return sets.includes(null) ? null : cronOf(sets, parts);
}

/** What is wrong with one of the five fields, counted from 0; `null` if nothing is. */
export function faultOfField(index: number, text: string): string | null {
  const field = FIELDS[index];
  const found = field === undefined ? `there is no field ${index}` : parseField(text, field);
  return typeof found === 'string' ? found : null;
}

/** Of fields that have been read, in their order. */
function cronOf(sets: readonly (ReadonlySet<number> | null)[], parts: readonly string[]): Cron {
  const [minutes, hours, days, months, weekdays] = sets.map((set) => set ?? new Set<number>());
  const isFree = (index: number): boolean => parts[index]?.startsWith('*') ?? false;
  return {
    times: sorted(hours).flatMap((hour) => sorted(minutes).map((minute) => hour * 60 + minute)),
    months: new Set(months),
    days: new Set(days),
    // The 7 is another name of Sunday.
    weekdays: new Set(sorted(weekdays).map((weekday) => weekday % 7)),
    isEitherDay: !isFree(2) && !isFree(4),
    isEveryHour: isFree(1),
  };
}

/** Once a day. */
export function dailyCron(minuteOfDay: number): Cron {
  return {
    times: [minuteOfDay],
    months: upTo(12),
    days: upTo(31),
    weekdays: upTo(6),
    isEitherDay: false,
    isEveryHour: false,
  };
}

function upTo(last: number): ReadonlySet<number> {
  return new Set(Array.from({ length: last + 1 }, (_, each) => each));
}

/** Longer than from one Sunday that is a 29 February to the next. */
const MOST_DAYS = 45 * 366;

/** The first wall time after another at which it is due; `null` if it never is. */
export function nextWall(cron: Cron, after: number): number | null {
  let day = Math.floor(after / DAY_MS) * DAY_MS;
  let from = Math.floor((after - day) / MINUTE_MS) + 1;
  for (let days = 0; days < MOST_DAYS; days += 1) {
    const time = isDue(cron, day) ? cron.times.find((minute) => minute >= from) : undefined;
    if (time !== undefined) return day + time * MINUTE_MS;
    day += DAY_MS;
    from = 0;
  }
  return null;
}

function isDue({ months, days, weekdays, isEitherDay }: Cron, day: number): boolean {
  const date = new Date(day);
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const isDay = days.has(date.getUTCDate());
  const isWeekday = weekdays.has(date.getUTCDay());
  return isEitherDay ? isDay || isWeekday : isDay && isWeekday;
}

/** The values of a field, or what is wrong with it. */
function parseField(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const range = parseRange(part, field);
    if (typeof range === 'string') return range;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return values;
}

interface Ends {
  readonly from: number;
  readonly to: number;
}

const RANGE = /^(?:\*|(?<first>\w+)(?:-(?<last>\w+))?)(?:\/(?<step>\d{1,2}))?$/u;

/** `*`, `5`, `mon-fri`, each with `/STEP`; or what is wrong. */
function parseRange(text: string, field: Field): (Ends & { readonly step: number }) | string {
  const found = RANGE.exec(text);
  if (found === null) return `"${text}" is neither a value, nor a range, nor a step`;
  const step = Number(found.groups?.['step'] ?? 1);
  if (step === 0) return 'a step of 0 goes nowhere';
  const ends = endsOf(found.groups ?? {}, field);
  return typeof ends === 'string' ? ends : { ...ends, step };
}

type Words = Readonly<Record<string, string | undefined>>;

function endsOf({ first, last, step }: Words, field: Field): Ends | string {
  if (first === undefined) return { from: field.lowest, to: field.highest };
  const from = parseValue(first, field);
  if (typeof from === 'string') return from;
  // `5/10` goes on to the end.
  if (last === undefined) return { from, to: step === undefined ? from : field.highest };
  const to = parseValue(last, field);
  if (typeof to === 'string') return to;
  return to >= from ? { from, to } : backwards(`${first}-${last}`, field);
}

function backwards(text: string, { names, lowest, highest }: Field): string {
  const [first = '', last = ''] = text.split('-');
  const help = `${first}-${names.at(-1) ?? highest},${names[0] ?? lowest}-${last}`;
  return `"${text}" runs backwards: write ${help}`;
}

function parseValue(text: string, { lowest, highest, names, name }: Field): number | string {
  const index = names.indexOf(text.toLowerCase());
  if (index !== -1) return index + lowest;
  if (!/^\d{1,2}$/u.test(text)) {
    const known = names.length === 0 ? '' : ` or ${names[0]}-${names.at(-1)}`;
    return `"${text}" is no ${name}${didYouMean(text, names) || `: expected ${lowest}-${highest}${known}`}`;
  }
  const value = Number(text);
  if (value >= lowest && value <= highest) return value;
  return `${value} is not between ${lowest} and ${highest}`;
}

function sorted(values: Iterable<number> = []): number[] {
  return [...values].toSorted((a, b) => a - b);
}
