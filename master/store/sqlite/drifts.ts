import { type Selectable, sql } from 'kysely';
import type { Outcome, Report } from '../../../protocol/report.ts';
import type { DriftStore, DriftedState } from '../drift-store.ts';
import type { Database, Tables } from './database.ts';

/** A minion may lie: no more than these are taken of one report, or kept of one minion, or of one text. */
const MOST_OF_REPORT = 200;
const MOST_OF_MINION = 1000;
const LONGEST = 500;

export function driftStore(database: Database): DriftStore {
  return {
    async list({ since }) {
      const rows = await database
        .selectFrom('drifts')
        .selectAll()
        .where('last_at', '>=', since)
        .orderBy('last_at', 'desc')
        .orderBy('minion')
        .orderBy('key')
        .execute();
      return rows.map(driftOf);
    },
    async counts({ since }) {
      const rows = await database
        .selectFrom('drifts')
        .select(['minion', ({ fn }) => fn.countAll<number>().as('states')])
        .where('last_at', '>=', since)
        .groupBy('minion')
        .execute();
      return new Map(rows.map(({ minion, states }) => [minion, states]));
    },
  };
}

/** What a report says of drift; in the unit that stores the report. A dry run took nothing back. */
export async function noteDrift(
  database: Database,
  report: Report,
  receivedAt: string,
): Promise<void> {
  const rows = report.dryRun ? [] : rowsOf(report, receivedAt).slice(0, MOST_OF_REPORT);
  for (const row of rows) {
    await database
      .insertInto('drifts')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['minion', 'key'])
          .doUpdateSet(row)
          .where('drifts.last_at', '<=', row.last_at),
      )
      .execute();
  }
  if (rows.length > 0) await forgetOldest(database, report.minion);
}

function rowsOf(report: Report, receivedAt: string): Tables['drifts'][] {
  return report.outcomes.flatMap((outcome) => rowOf(outcome, report, receivedAt));
}

function rowOf(outcome: Outcome, { minion, job }: Report, receivedAt: string): Tables['drifts'][] {
  const { key, id, name, type, place, origin, startedAt } = outcome;
  if (origin?.kind !== 'drift') return [];
  const { times, since } = origin;
  const last_at = startedAt < receivedAt ? startedAt : receivedAt;
  const [short, ...texts] = [key, id, name, type, place].map((text) => text.slice(0, LONGEST));
  const [shortId = '', shortName = '', shortType = '', shortPlace = ''] = texts;
  return [
    {
      minion,
      key: short ?? '',
      id: shortId,
      name: shortName,
      type: shortType,
      place: shortPlace,
      times,
      since: since < last_at ? since : last_at,
      last_at,
      job,
    },
  ];
}

async function forgetOldest(database: Database, minion: string): Promise<void> {
  await database
    .deleteFrom('drifts')
    .where('minion', '=', minion)
    .where(
      sql<boolean>`key not in (select key from drifts where minion = ${minion}
        order by last_at desc, key limit ${MOST_OF_MINION})`,
    )
    .execute();
}

function driftOf({ last_at: lastAt, ...row }: Selectable<Tables['drifts']>): DriftedState {
  return { ...row, lastAt };
}
