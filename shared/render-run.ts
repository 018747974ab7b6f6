import { styleText } from 'node:util';
import type { Change } from './change.ts';
import { escapeControls } from './log.ts';
import { pauseWords } from './pause.ts';
import type { ShownPause } from './pause.ts';
import { renderCounts } from './render-counts.ts';
import type { ShownCounts } from './render-counts.ts';
import { originLines, originWord, renderDebt } from './render-origin.ts';
import type { ShownBefore, ShownDebt, ShownOrigin } from './render-origin.ts';
import { titleOf } from './render-title.ts';

/**
 * Runs as lines of text, for `minion apply` and `master apply` alike. What a run says may come
 * from a host that lies: control characters are escaped in everything that is shown.
 */

export interface RenderOptions {
  readonly color: boolean;
  /** Shows unchanged states too, and those that were skipped because nothing asked for them. */
  readonly verbose: boolean;
}

type Status = 'unchanged' | 'changed' | 'would-change' | 'failed' | 'skipped' | 'unknown';

/** What is shown of an outcome; those of `protocol/report.ts` have it. */
export interface ShownOutcome {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly place: string;
  readonly status: Status;
  readonly change?: Change | undefined;
  readonly diff?: string | undefined;
  readonly origin?: ShownOrigin | undefined;
  readonly before?: ShownBefore | undefined;
  readonly reaction?: string | undefined;
  readonly output?: string | undefined;
  readonly error?: ShownError | undefined;
  readonly because?: string | undefined;
  readonly blocked?: true | undefined;
  readonly milliseconds: number;
  readonly attempts?: number | undefined;
}

export interface ShownError {
  readonly code: string;
  readonly message: string;
  readonly output?: string | undefined;
}

/** What is shown of a report. */
export interface ShownReport {
  readonly minion: string;
  readonly dryRun: boolean;
  readonly status: string;
  readonly error?: ShownError | undefined;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly starts?: number | undefined;
  readonly counts: ShownCounts;
  readonly owed: readonly string[];
  readonly debts?: readonly ShownDebt[] | undefined;
  readonly shortened?: string | undefined;
  readonly paused?: ShownPause | undefined;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const MARKS: Readonly<Record<Status, readonly [mark: string, style: Style]>> = {
  unchanged: ['=', 'dim'],
  changed: ['*', 'green'],
  'would-change': ['~', 'yellow'],
  failed: ['!', 'red'],
  skipped: ['-', 'dim'],
  unknown: ['?', 'yellow'],
};

/** One state as lines: what it is, and below it what changed, or went wrong. */
export function renderOutcome(outcome: ShownOutcome, options: RenderOptions): string[] {
  const { status, type, id, name, place, reaction, milliseconds, blocked } = outcome;
  const isQuiet = status === 'unchanged' || (status === 'skipped' && blocked !== true);
  if (isQuiet && reaction === undefined && !options.verbose) return [];
  const paint = painter(options);
  const [mark, style] = MARKS[status];
  const title = name === id ? titleOf(id) : `${titleOf(id)} (${titleOf(name)})`;
  const seconds = milliseconds >= 1000 ? `, ${(milliseconds / 1000).toFixed(1)} s` : '';
  const tries = outcome.attempts === undefined ? '' : `, ${outcome.attempts} attempts`;
  const word = originWord(outcome.origin);
  const came = `${paint(style, status)}${word === '' ? '' : `, ${paint('yellow', word)}`}${seconds}${tries}`;
  const head = `${paint(style, mark)} ${oneLine(type)}  ${paint('bold', title)}  ${came}`;
  return [`${head}  ${paint('dim', oneLine(place))}`, ...detailsOf(outcome, paint)];
}

/** How a run ended, in one line; below it why it failed as a whole, and what it still owes. */
export function renderReport(report: ShownReport, options: RenderOptions): string[] {
  const paint = painter(options);
  const { minion, status, dryRun, error } = report;
  const seconds = (Date.parse(report.endedAt) - Date.parse(report.startedAt)) / 1000;
  const style = STATUS_STYLES.get(status) ?? 'red';
  const mode = dryRun ? ' (dry run)' : '';
  const head = `${paint('bold', oneLine(minion))}  ${paint(style, oneLine(status))}${mode}`;
  const lines = [`${head}  ${renderCounts(report.counts)} in ${seconds.toFixed(1)} s`];
  if (error !== undefined) lines.push(...errorLines(error, paint));
  const notes = notesOf(report).map(([word, text]) => `    ${paint('yellow', word)} ${text}`);
  return [...lines, ...notes];
}

type Note = readonly [string, string];

/** What whoever reads of a run has to know besides. */
function notesOf(report: ShownReport): Note[] {
  const { starts, shortened, paused } = report;
  const owed = report.debts?.map(renderDebt) ?? report.owed.map(oneLine);
  const killed = 'it was killed, and its commands may have run before';
  return [
    ...(starts === undefined ? [] : [['started', `${starts} times: ${killed}`] as const]),
    ...(isEmpty(report)
      ? [['nothing was done:', 'no state is declared for this minion'] as const]
      : []),
    ...owed.map((debt) => ['owed', debt] as const),
    ...(shortened === undefined ? [] : [['shortened', oneLine(shortened)] as const]),
    ...(paused === undefined
      ? []
      : [['paused', `no scheduled runs ${pauseWords(paused)}`] as const]),
  ];
}

/** It ended well because it had nothing to do at all. */
function isEmpty({ status, error, counts }: ShownReport): boolean {
  return status === 'ok' && error === undefined && counts.total === 0;
}

const STATUS_STYLES: ReadonlyMap<string, Style> = new Map<string, Style>([
  ['ok', 'green'],
  ['changed', 'green'],
]);

function detailsOf(outcome: ShownOutcome, paint: Paint): string[] {
  const { status, change, diff, reaction, output, because, error } = outcome;
  const lines: string[] = [];
  if (change !== undefined) lines.push(...changeLines(change, diff, paint));
  if (diff !== undefined) lines.push(...diffLines(diff, paint));
  lines.push(...originLines(outcome.origin, outcome.before).map((line) => `    ${line}`));
  const word = status === 'unchanged' ? 'note' : 'reaction';
  if (reaction !== undefined) lines.push(`    ${paint('cyan', word)} ${oneLine(reaction)}`);
  if (output !== undefined) lines.push(...outputLines(output));
  if (because !== undefined) lines.push(`    because ${oneLine(because)}`);
  if (error !== undefined) lines.push(...errorLines(error, paint));
  return lines;
}

function changeLines(change: Change, diff: string | undefined, paint: Paint): string[] {
  if (change.action === 'remove') return [`    ${paint('red', 'removed')}`];
  const from = change.action === 'update' ? change.from : {};
  return Object.entries(change.to)
    .filter(([, value]) => change.action !== 'create' || !isEmptyList(value))
    .filter(([attribute, value]) => diff === undefined || !isShownByDiff(attribute, value))
    .map(([attribute, value]) => {
      const before = change.action === 'update' ? `${shown(from[attribute])} -> ` : '';
      return `    ${oneLine(attribute)}: ${before}${shown(value)}`;
    });
}

/** Nothing that something new does not have anyhow. */
function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** A text of several lines that the diff shows better. */
function isShownByDiff(attribute: string, value: unknown): boolean {
  return attribute === 'content' || (typeof value === 'string' && value.includes('\n'));
}

const SHOWN_MAXIMUM = 160;

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const short = text.length > SHOWN_MAXIMUM ? `${text.slice(0, SHOWN_MAXIMUM)}…` : text;
  return oneLine(short) === '' ? '""' : oneLine(short);
}

const DIFF_STYLES: readonly (readonly [start: string, style: Style])[] = [
  ['+', 'green'],
  ['-', 'red'],
  ['@@', 'cyan'],
];

function diffLines(diff: string, paint: Paint): string[] {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      const style = DIFF_STYLES.find(([start]) => line.startsWith(start))?.[1];
      const text = visible(line);
      return `    ${style === undefined ? text : paint(style, text)}`;
    });
}

function errorLines({ code, message, output }: ShownError, paint: Paint): string[] {
  const [first = '', ...rest] = message.split('\n');
  return [
    `    ${paint('red', 'error')} ${visible(first)} [${oneLine(code)}]`,
    ...rest.map((line) => `    ${visible(line)}`),
    ...(output === undefined ? [] : outputLines(output)),
  ];
}

function outputLines(output: string): string[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => `    | ${visible(line)}`);
}

/** Tabs stay: they cannot harm, and code is full of them. */
function visible(line: string): string {
  return line.split('\t').map(escapeControls).join('\t');
}

function oneLine(text: string): string {
  return escapeControls(text);
}

function painter({ color }: RenderOptions): Paint {
  return color ? (style, text) => styleText(style, text) : (_style, text) => text;
}

/** Whether a stream wants colours: a terminal, unless NO_COLOR is set. */
export function wantsColor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv) {
  return stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '';
}
