import { secondsIn } from '../duration.ts';
import { Secret } from '../secret.ts';
import { didYouMean } from '../suggest.ts';

type Path = readonly (string | number)[];

/** What is wrong with a schedule, and where in it. */
export interface ScheduleIssue {
  readonly path: Path;
  readonly message: string;
  readonly help: string | null;
}

/** A value below a schedule that is read, and how to tell what is wrong with it. */
export interface Reading {
  readonly value: unknown;
  readonly path: Path;
  readonly wrong: (message: string, help?: string) => void;
  /** The same for what stands below it. */
  readonly at: (key: string | number, value: unknown) => Reading;
}

export function startReading(value: unknown, issues: ScheduleIssue[], path: Path = []): Reading {
  return {
    value,
    path,
    wrong: (message, help) => void issues.push({ path, message, help: help ?? null }),
    at: (key, below) => startReading(below, issues, [...path, key]),
  };
}

/** The entries of a mapping that may have these keys; `null`, and told, if it is none. */
export function readMapping(
  reading: Reading,
  known: readonly string[],
): ReadonlyMap<string, Reading> | null {
  const { value, wrong, at } = reading;
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    value instanceof Secret
  ) {
    wrong(`expected a mapping, got ${shown(value)}`, `it may have: ${known.join(', ')}`);
    return null;
  }
  const entries = Object.entries(value).filter(([, below]) => below !== undefined);
  for (const [key, below] of entries) {
    if (known.includes(key)) continue;
    at(key, below).wrong(
      `unknown key "${key}"${didYouMean(key, known)}`,
      `it may have: ${known.join(', ')}`,
    );
  }
  return new Map(entries.map(([key, below]) => [key, at(key, below)]));
}

/** A single value as a list of one. */
export function readList({ value, at, path, wrong }: Reading): readonly Reading[] {
  if (!Array.isArray(value)) return [{ value, at, path, wrong }];
  return value.map((item: unknown, index) => at(index, item));
}

export function readText({ value, wrong }: Reading, expected: string): string | null {
  if (typeof value === 'string') return value;
  wrong(`expected ${expected}, got ${shown(value)}`);
  return null;
}

export interface Limits {
  readonly least: string;
  readonly most: string;
}

/** Seconds, within limits that are written as durations are. */
export function readDuration({ value, wrong }: Reading, { least, most }: Limits): number | null {
  const seconds = secondsOf(value);
  if (seconds === null) {
    wrong(`expected a time such as 90s, 30m, 6h or 1d, got ${shown(value)}`);
    return null;
  }
  const isWithin = seconds >= (secondsOf(least) ?? 0) && seconds <= (secondsOf(most) ?? 0);
  if (!isWithin) wrong(`expected a time from ${least} to ${most}, got ${shown(value)}`);
  return isWithin ? seconds : null;
}

function secondsOf(value: unknown): number | null {
  if (value === 0 || value === '0' || value === '0s') return 0;
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value);
  return secondsIn(/^\d+$/u.test(text) ? `${text}s` : text);
}

/** What a value is, in the words of a message; never what a secret holds. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (value instanceof Secret) return 'a secret';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
