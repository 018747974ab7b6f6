import { renderCounts } from '../../shared/render-counts.ts';
import type { MinionStatus } from '../api/answers.ts';
import { appliedWords } from './applied.ts';
import { shortRevision } from './table.ts';

/** What `master status` shows of a minion, in the order of its columns. */
export const STATUS_COLUMNS = [
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

export interface StatusLook {
  readonly isTerminal: boolean;
  /** How a time is shown. */
  readonly at: (time: string | null) => string;
}

/** The last run is that of the whole tree: one of some state files, which may have come since, says little of a host. */
export function statusRow(minion: MinionStatus, look: StatusLook): string[] {
  const { id, online, since, lastRun, lastPartialRun } = minion;
  const { at } = look;
  return [
    id,
    online ? 'online' : 'offline',
    at(since),
    at(lastRun?.endedAt ?? null),
    resultWords(minion, look),
    shortRevision(lastRun?.revision ?? null),
    // What is owed is of the host, whatever the run was of.
    String((lastPartialRun ?? lastRun)?.owed ?? 0),
    String(minion.drift),
    ...comingWords(minion, look),
  ];
}

function comingWords(
  { nextRefresh, scheduleSource, pause }: MinionStatus,
  { at }: StatusLook,
): string[] {
  return [
    at(nextRefresh),
    scheduleSource ?? '-',
    pause === null ? '-' : `until ${at(pause.until)}`,
  ];
}

/** `running 3/9 pkg.installed nginx, queued: offline; last: failed (…); then only motd: ok (…), 2 min ago`. */
function resultWords({ running, lastRun, lastPartialRun }: MinionStatus, look: StatusLook): string {
  const isIdle = running.length === 0;
  const whole = lastRun === null ? [] : [`${isIdle ? '' : 'last: '}${outcomeWords(lastRun)}`];
  const partial = lastPartialRun === null ? [] : [partialWords(lastPartialRun, look)];
  const said = [...(isIdle ? [] : [underWayWords(running)]), ...whole, ...partial];
  return said.length === 0 ? '-' : said.join('; ');
}

function outcomeWords({ status, counts }: NonNullable<MinionStatus['lastRun']>): string {
  return `${status} (${renderCounts(counts)})`;
}

function partialWords(
  run: NonNullable<MinionStatus['lastPartialRun']>,
  { isTerminal, at }: StatusLook,
): string {
  const files = appliedWords(run.stateFiles, { isTerminal });
  return `then only ${files}: ${outcomeWords(run)}, ${at(run.endedAt)}`;
}

type UnderWay = MinionStatus['running'][number];

/** What it does, then how many jobs wait, and for what. */
function underWayWords(running: readonly UnderWay[]): string {
  const queued = running.filter(({ state }) => state === 'queued');
  const begun = running.filter(({ state }) => state !== 'queued').map(begunWords);
  return [...begun, ...(queued.length === 0 ? [] : [queuedWords(queued)])].join(', ');
}

function begunWords({ state, number, total, current, waits }: UnderWay): string {
  if (number !== null) return `${state} ${number}/${total ?? '?'} ${current ?? ''}`;
  return waits === null ? state : `${state}: ${waits}`;
}

function queuedWords(queued: readonly UnderWay[]): string {
  const words = queued.length === 1 ? 'queued' : `${queued.length} queued`;
  const reasons = new Set(queued.flatMap(({ waits }) => (waits === null ? [] : [waits])));
  return reasons.size === 0 ? words : `${words}: ${[...reasons].join(' or ')}`;
}
