import type { Command } from 'commander';
import { styleText } from 'node:util';
import { z } from 'zod';
import { EXIT } from '../../shared/exit-codes.ts';
import { jsonText } from '../../shared/json-text.ts';
import { escapeControls } from '../../shared/log.ts';
import { renderCounts } from '../../shared/render-counts.ts';
import { pingAnswer, statusAnswer, type MinionStatus, type StatusAnswer } from '../api/answers.ts';
import { readCommon, withCommon, withTarget, type Context } from '../cli/context.ts';
import { renderTable, renderTime, short } from '../render/table.ts';

export function addStatus(program: Command, context: Context): void {
  const status = program
    .command('status')
    .description('the tree, and every minion: is it there, what did it do last')
    .addHelpText('after', '\nExample:\n  $ master status --json');
  withCommon(status).action(async (options: unknown) => {
    const { client, json } = await readCommon(context, options);
    const answer = await client.get('/status', statusAnswer);
    if (json) context.terminal.out(jsonText(answer));
    else showStatus(context, answer);
  });
}

type At = (time: string | null) => string;

function showStatus({ terminal }: Context, status: StatusAnswer): void {
  const { isTerminal, color } = terminal;
  const at: At = (time) => renderTime(time, { isTerminal, now: terminal.now() });
  for (const line of warnings(status, at).map(escapeControls))
    terminal.err(color ? styleText('yellow', line) : line);
  if (isTerminal) {
    const { revision } = status;
    const words = revision === null ? 'none' : short(revision.revision, terminal);
    terminal.out(`revision ${words}, published ${at(revision?.publishedAt ?? null)}`);
  }
  const rows = status.minions.map((minion) => rowOf(minion, at, terminal));
  for (const line of renderTable(COLUMNS, rows, terminal)) terminal.out(line);
}

/** What somebody should do something about, in lines. Only of the tree's own words do several lines come. */
function warnings({ alarms, broken, pendingKeys, minions }: StatusAnswer, at: At): string[] {
  const isBroken =
    broken === null
      ? []
      : [`the tree is broken since ${at(broken.since)}:`, ...broken.message.split('\n')];
  const isWaiting =
    pendingKeys === 0 ? [] : [`keys that wait to be accepted: ${pendingKeys} (master keys list)`];
  return [
    ...alarms.map(({ at: time, message }) => `alarm, ${at(time)}: ${message}`),
    ...isBroken,
    ...isWaiting,
    ...minions.flatMap(({ id, pause }) =>
      pause === null ? [] : [`paused: ${id} ${pausedWords(pause, at)}`],
    ),
  ];
}

const COLUMNS = [
  'minion',
  'is',
  'since',
  'last run',
  'result',
  'revision',
  'owed',
  'drift',
  'next refresh',
  'schedule',
  'paused',
] as const;

function pausedWords(
  { until, why, isConfirmed }: NonNullable<MinionStatus['pause']>,
  at: At,
): string {
  return `until ${at(until)}: ${why}${isConfirmed ? '' : ' (not confirmed yet)'}`;
}

function rowOf(minion: MinionStatus, at: At, terminal: Context['terminal']): string[] {
  const { id, online, since, lastRun } = minion;
  return [
    id,
    online ? 'online' : 'offline',
    at(since),
    at(lastRun?.endedAt ?? null),
    resultWords(minion),
    short(lastRun?.revision ?? null, terminal),
    String(lastRun?.owed ?? 0),
    String(minion.drift),
    ...comingWords(minion, at),
  ];
}

function resultWords({ running, lastRun }: MinionStatus): string {
  const last = lastRun === null ? '-' : `${lastRun.status} (${renderCounts(lastRun.counts)})`;
  if (running.length === 0) return last;
  const now = running.map(runningWords).join('; ');
  return lastRun === null ? now : `${now}; last: ${last}`;
}

function comingWords({ nextRefresh, scheduleSource, pause }: MinionStatus, at: At): string[] {
  return [
    at(nextRefresh),
    scheduleSource ?? '-',
    pause === null ? '-' : `until ${at(pause.until)}`,
  ];
}

function runningWords(running: MinionStatus['running'][number]): string {
  const { state, number, total, current, waits } = running;
  if (number !== null) return `${state} ${number}/${total ?? '?'} ${current ?? ''}`;
  return waits === null ? state : `${state}: ${waits}`;
}

export function addPing(program: Command, context: Context): void {
  const ping = program
    .command('ping')
    .description('ask agents whether they are there')
    .addHelpText('after', "\nExample:\n  $ master ping --target '*'");
  withTarget(ping);
  withCommon(ping).action(async (options: unknown) => {
    const { target } = z.object({ target: z.string() }).parse(options);
    const { client, json } = await readCommon(context, options);
    const answer = await client.post('/ping', { target }, pingAnswer);
    const { terminal } = context;
    if (answer.minions.some(({ state }) => state !== 'answered')) context.exit(EXIT.offline);
    if (json) return terminal.out(jsonText(answer));
    const { isTerminal } = terminal;
    const rows = answer.minions.map(({ id, state, milliseconds, since }) => [
      id,
      state,
      milliseconds === null ? '-' : `${milliseconds} ms`,
      renderTime(since, { isTerminal, now: terminal.now() }),
    ]);
    for (const line of renderTable(['minion', 'is', 'took', 'since'], rows, terminal))
      terminal.out(line);
  });
}
