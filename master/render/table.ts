import { styleText } from 'node:util';
import { escapeControls } from '../../shared/log.ts';

export interface TableOptions {
  /** Columns that line up under their names; otherwise with tabs between them, for programs. */
  readonly isTerminal: boolean;
  readonly color: boolean;
}

/** Rows as lines. What stands in them may come from anywhere, so nothing in it can act. */
export function renderTable(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  { isTerminal, color }: TableOptions,
): string[] {
  const clean = rows.map((row) => row.map(escapeControls));
  const head = names.map((name) => name.toUpperCase());
  if (!isTerminal) return [head, ...clean].map((row) => row.join('\t'));
  const widths = names.map((name, column) =>
    Math.max(name.length, ...clean.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const title = line(head);
  return [color ? styleText('dim', title) : title, ...clean.map(line)];
}

const SPANS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** `3 min ago`, `in 2 h`; for programs the time itself. */
export function renderTime(
  time: string | null,
  { isTerminal, now }: { isTerminal: boolean; now: Date },
): string {
  if (time === null) return '-';
  if (!isTerminal) return time;
  const distance = Date.parse(time) - now.getTime();
  const [length, unit] = SPANS.find(([span]) => Math.abs(distance) >= span) ?? [1000, 's'];
  const count = Math.round(Math.abs(distance) / length);
  if (count === 0) return 'now';
  return distance > 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

/** As runs show it: nobody tells revisions apart by more of them, and documents have them in full. */
export function shortRevision(id: string | null): string {
  return id === null ? '-' : id.slice(0, 12);
}

/** The first letters of a job, enough for people. */
export function short(id: string, { isTerminal }: { isTerminal: boolean }): string {
  return isTerminal ? id.slice(0, 13) : id;
}
