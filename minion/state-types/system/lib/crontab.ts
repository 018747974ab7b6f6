import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { lastWords } from '../../lib/ask.ts';

/** One scheduled command of a user's crontab. */
export interface CronLine {
  /** `* * * * *` split at spaces, or `@daily` alone. */
  readonly when: readonly string[];
  readonly command: string;
  readonly isCommented: boolean;
}

/** A managed line with what stands above it: where it is among all lines, and what it says. */
export interface CronBlock extends CronLine {
  readonly from: number;
  /** Behind its last line. */
  readonly to: number;
  readonly comment: string | null;
}

const MARK = '# conductor: ';
const COMMENT = '# ';
const DISABLED = '#DISABLED# ';
const SCHEDULE =
  /^(?:(?<special>@[a-z]+)|(?<fields>[\w*,/-]+(?:[ \t]+[\w*,/-]+){4}))[ \t]+(?<command>\S.*)$/u;

/**
 * The lines of a user's crontab, read once for all that is declared in it; `null` if the host has no
 * cron or no such user. Bytes stand for themselves (Latin-1), so that what others have written goes
 * back exactly as it came.
 */
export async function readCrontab(user: string, host: HostView): Promise<string[] | null> {
  const isThere = (await host.accounts()).has(user) && (await host.status(CRONTAB)) !== null;
  if (!isThere) return readCrontabNow(user, host);
  const lines = await host.shared(topicOf(user), () => readCrontabNow(user, host));
  return lines === null ? null : [...lines];
}

const CRONTAB = '/usr/bin/crontab';

function topicOf(user: string): string {
  return `crontab of ${user}`;
}

async function readCrontabNow(user: string, host: HostView): Promise<string[] | null> {
  const { exitCode, raw, stderr } = await host.query(['crontab', '-u', user, '-l']);
  if (exitCode === 127 || stderr.includes('unknown')) return null;
  if (exitCode !== 0 && stderr.includes('no crontab for')) return [];
  if (exitCode !== 0) {
    throw new ConductorError('COMMAND_FAILED', `Cannot read the crontab of "${user}"`, {
      output: stderr,
    });
  }
  const lines = Buffer.from(raw).toString('latin1').split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The same, where there has to be one. Throws STATE_REFUSED if there cannot be. */
export async function needCrontab(user: string, host: HostView): Promise<string[]> {
  return (await readCrontab(user, host)) ?? refuseCrontab(user, host);
}

/** As it is at this moment, to be written again. */
export async function needCrontabNow(user: string, host: Host): Promise<string[]> {
  return (await readCrontabNow(user, host)) ?? refuseCrontab(user, host);
}

async function refuseCrontab(user: string, host: HostView): Promise<never> {
  const isNobody = !(await host.accounts()).has(user);
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot write the crontab of "${user}": ${isNobody ? 'there is no such user' : 'this host has no cron'}`,
    { lacks: isNobody ? [`user:${user}`] : ['package:cron', `path:${CRONTAB}`] },
  );
}

/** Asks cron whether it could read such a crontab. To look, it writes one: that is in memory and seen by nobody else. */
export async function refuseLines(
  user: string,
  lines: readonly string[],
  host: HostView,
): Promise<void> {
  const answer = await host.query(['crontab', '-u', user, '-n', '-'], {
    input: bytesOf(lines),
    inMemory: '/var/spool/cron/crontabs',
  });
  if (answer.exitCode === 0) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot write the crontab of "${user}": cron cannot read it: ${lastWords(answer)}`,
    { lacks: [] },
  );
}

/** Puts a crontab in place; `crontab` itself refuses one that cron could not read. */
export async function writeCrontab(
  user: string,
  lines: readonly string[],
  host: Host,
): Promise<void> {
  await host.run(['crontab', '-u', user, '-'], { input: bytesOf(lines) });
  host.changed(topicOf(user));
}

function bytesOf(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1');
}

/** Text of ours in the form in which lines are kept. */
function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function decoded(line: string): string {
  return Buffer.from(line, 'latin1').toString('utf8');
}

/** The block with this identifier; else an unmarked line with this very command; else `null`. */
export function findBlock(
  lines: readonly string[],
  identifier: string,
  command: string,
): CronBlock | null {
  const mark = lines.indexOf(encoded(MARK + identifier));
  if (mark !== -1) return blockFrom(lines, mark);
  for (const [index, line] of lines.entries()) {
    const parsed = parseLine(line);
    if (parsed?.command !== command || isMarked(lines, index)) continue;
    return { ...parsed, from: index, to: index + 1, comment: null };
  }
  return null;
}

/** Below the mark come the lines of a comment, and then the scheduled command. */
function blockFrom(lines: readonly string[], mark: number): CronBlock {
  let at = mark + 1;
  while (isComment(lines[at])) at += 1;
  const comments = lines.slice(mark + 1, at).map((line) => decoded(line).slice(COMMENT.length));
  const comment = comments.length === 0 ? null : comments.join('\n');
  const parsed = parseLine(lines[at] ?? '');
  if (parsed !== null) return { ...parsed, from: mark, to: at + 1, comment };
  // Somebody has removed the command from below its mark: only that is left to be replaced.
  return { when: [], command: '', isCommented: false, from: mark, to: mark + 1, comment: null };
}

function isComment(line: string | undefined): boolean {
  return line?.startsWith(COMMENT) === true && !line.startsWith(MARK);
}

function isMarked(lines: readonly string[], index: number): boolean {
  let at = index - 1;
  while (isComment(lines[at])) at -= 1;
  return lines[at]?.startsWith(MARK) === true;
}

export function parseLine(line: string): CronLine | null {
  const isCommented = line.startsWith(DISABLED);
  const text = isCommented ? line.slice(DISABLED.length) : line;
  const { special, fields, command } = SCHEDULE.exec(text)?.groups ?? {};
  if (command === undefined) return null;
  const when = special === undefined ? (fields ?? '').split(/[ \t]+/u) : [special];
  return { when, command: decoded(command), isCommented };
}

/** The lines of a block, as they stand in a crontab. */
export function blockLines(
  identifier: string,
  { when, command, isCommented, comment }: CronLine & { comment: string | null },
): string[] {
  const comments = comment === null ? [] : comment.split('\n').map((line) => COMMENT + line);
  const line = `${isCommented ? DISABLED : ''}${when.join(' ')} ${command}`;
  return [MARK + identifier, ...comments, line].map(encoded);
}

const ASSIGNMENT = /^\s*(?<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?<value>.*?)\s*$/u;

/** The lines that set a variable, and to what; without the quotes that cron takes away. */
export function assignmentsOf(
  lines: readonly string[],
  name: string,
): readonly { at: number; value: string }[] {
  return [...lines.entries()].flatMap(([at, line]) => {
    const groups = ASSIGNMENT.exec(line)?.groups;
    if (groups?.['name'] !== name) return [];
    const value = groups['value'] ?? '';
    return [{ at, value: decoded(value.replace(/^(?<quote>["'])(?<inner>.*)\k<quote>$/u, '$2')) }];
  });
}

/** Quoted where cron would otherwise take spaces away, or nothing for no value at all. */
export function assignmentLine(name: string, value: string): string {
  const isPlain = value !== '' && value.trim() === value && !/^'.*'$/u.test(value);
  return encoded(`${name}=${isPlain ? value : `"${value}"`}`);
}

/** Where Debian's cron keeps the crontab of an account. */
export function crontabOf(user: string): string {
  return `/var/spool/cron/crontabs/${user}`;
}
