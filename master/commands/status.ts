import type { Command } from 'commander';
import { styleText } from 'node:util';
import { z } from 'zod';
import { EXIT } from '../../shared/exit-codes.ts';
import { jsonText } from '../../shared/json-text.ts';
import { escapeControls } from '../../shared/log.ts';
import { renderCounts } from '../../shared/render-run.ts';
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

function showStatus({ terminal }: Context, status: StatusAnswer): void {
  const { isTerminal, color } = terminal;
  const at = (time: string | null) => renderTime(time, { isTerminal, now: terminal.now() });
  const warn = (text: string) => {
    for (const line of text.split('\n')) {
      const clean = escapeControls(line);
      terminal.err(color ? styleText('yellow', clean) : clean);
    }
  };
  for (const { at: time, message } of status.alarms) warn(`alarm, ${at(time)}: ${message}`);
  if (status.broken !== null)
    warn(`the tree is broken since ${at(status.broken.since)}:\n${status.broken.message}`);
  if (status.pendingKeys > 0)
    warn(`keys that wait to be accepted: ${status.pendingKeys} (master keys list)`);
  if (isTerminal) {
    const { revision } = status;
    const words = revision === null ? 'none' : short(revision.revision, terminal);
    terminal.out(`revision ${words}, published ${at(revision?.publishedAt ?? null)}`);
  }
  const names = ['minion', 'is', 'since', 'last run', 'result', 'revision', 'owed', 'next refresh'];
  const rows = status.minions.map((minion) => rowOf(minion, at, terminal));
  for (const line of renderTable(names, rows, terminal)) terminal.out(line);
}

function rowOf(
  minion: MinionStatus,
  at: (time: string | null) => string,
  terminal: Context['terminal'],
): string[] {
  const { lastRun, running } = minion;
  return [
    minion.id,
    minion.online ? 'online' : 'offline',
    at(minion.since),
    at(lastRun?.endedAt ?? null),
    running.map(runningWords).join('; ') ||
      (lastRun === null ? '-' : `${lastRun.status} (${renderCounts(lastRun.counts)})`),
    short(lastRun?.revision ?? null, terminal),
    String(lastRun?.owed ?? 0),
    at(minion.nextRefresh),
  ];
}

function runningWords({ state, number, total, current }: MinionStatus['running'][number]): string {
  return number === null ? state : `${state} ${number}/${total ?? '?'} ${current ?? ''}`;
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
