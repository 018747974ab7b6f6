import type { Command } from 'commander';
import { styleText } from 'node:util';
import { z } from 'zod';
import { EXIT } from '../../shared/exit-codes.ts';
import { jsonText } from '../../shared/json-text.ts';
import { escapeControls } from '../../shared/log.ts';
import { pingAnswer, statusAnswer, type MinionStatus, type StatusAnswer } from '../api/answers.ts';
import { readCommon, withCommon, withTarget, type Context } from '../cli/context.ts';
import { STATUS_COLUMNS, statusRow } from '../render/minion-status.ts';
import { renderTable, renderTime, shortRevision } from '../render/table.ts';

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
    const words = revision === null ? 'none' : shortRevision(revision.revision);
    terminal.out(`revision ${words}, published ${at(revision?.publishedAt ?? null)}`);
  }
  const rows = status.minions.map((minion) => statusRow(minion, { isTerminal, at }));
  for (const line of renderTable(STATUS_COLUMNS, rows, terminal)) terminal.out(line);
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

function pausedWords(
  { until, why, isConfirmed }: NonNullable<MinionStatus['pause']>,
  at: At,
): string {
  return `until ${at(until)}: ${why}${isConfirmed ? '' : ' (not confirmed yet)'}`;
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
