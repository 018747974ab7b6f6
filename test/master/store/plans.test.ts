import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import test, { type ExecutionContext } from 'ava';
import type { CompiledQuery, KyselyPlugin, QueryId, RootOperationNode } from 'kysely';
import { z } from 'zod';
import { type Database, openDatabase } from '../../../master/store/sqlite/database.ts';
import type { Commit } from '../../../master/store/sqlite/group-commit.ts';
import { intentionStore } from '../../../master/store/sqlite/intentions.ts';
import { jobStore } from '../../../master/store/sqlite/jobs.ts';
import { minionStore } from '../../../master/store/sqlite/minions.ts';
import { reportStore } from '../../../master/store/sqlite/reports.ts';
import { report } from '../harness.ts';

/** History grows with every run of every minion: what is asked for each message must not read through all of it. */

const planRow = z.object({ detail: z.string() });
/** All rows of one of these, unless by an index that has only those that are under way. */
const READS_ALL = /^SCAN (?:targets|reports|jobs)(?!.* INDEX (?:unfinished|queued|cancelled))/u;

/** A store's file, and how each statement that it is asked from now on is carried out. */
async function observed(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-plans-'));
  const path = join(directory, 'master.sqlite');
  const plain = await openDatabase(path);
  t.teardown(async () => {
    await plain.destroy();
    rmSync(directory, { recursive: true });
  });
  const asked: CompiledQuery[] = [];
  const note = (node: RootOperationNode, queryId: QueryId): RootOperationNode => {
    asked.push(plain.getExecutor().compileQuery(node, queryId));
    return node;
  };
  const plugin: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => note(node, queryId),
    transformResult: ({ result }) => Promise.resolve(result),
  };
  const database: Database = plain.withPlugin(plugin);
  return {
    database,
    plans: () => asked.map((query) => ({ sql: query.sql, plan: planOf(path, query) })),
  };
}

function planOf(path: string, { sql, parameters }: CompiledQuery): string[] {
  const file = new DatabaseSync(path, { readOnly: true });
  const values = z.array(z.union([z.string(), z.number(), z.null()])).parse(parameters);
  const rows = file.prepare(`explain query plan ${sql}`).all(...values);
  file.close();
  return z
    .array(planRow)
    .parse(rows)
    .map(({ detail }) => detail);
}

const NOW = '2026-01-02T00:00:00.000Z';
const TARGET = { job: 'job', minion: 'web1', from: ['queued', 'delivered'] } as const;

test('no statement of what is done for each message, or each second, reads all of the history', async (t) => {
  const { database, plans } = await observed(t);
  const commit: Commit = (work) => work(database);
  const jobs = jobStore(database, commit);
  const reports = reportStore(database, commit);
  const minions = minionStore(database, commit);
  await jobs.get('job');
  await jobs.targets('job');
  await jobs.moveTarget(TARGET, { state: 'running', updatedAt: NOW });
  await jobs.unfinished();
  await jobs.unfinishedOf('web1');
  await jobs.stateFilesOpenTo('web1', 'revision');
  await jobs.cancelledOf(['job']);
  await jobs.withQueued();
  await jobs.queuedOf('job');
  await jobs.underWayOf('job');
  await jobs.tally('job');
  await jobs.endedAfter('job', NOW);
  await jobs.overdue(NOW);
  await jobs.list({ limit: 20 });
  await jobs.list({ limit: 2, prefix: '0198' });
  await reports.withoutJob({ limit: 20 });
  await reports.withoutJob({ limit: 2, prefix: '0198' });
  await reports.get('job', 'web1');
  await reports.latest();
  await reports.usualMilliseconds('web1', { dryRun: false, stateFiles: [] });
  await reports.add(report('job', 'web1'), NOW);
  await minions.get('web1');
  await minions.facts('web1');
  await minions.note('web1', { seenAt: NOW });
  await minions.setFacts('web1', {}, NOW);
  await intentionStore(database, commit).get('web1');

  const all = plans();
  t.true(all.length > 20, `${all.length} statements were observed`);
  for (const { sql, plan } of all)
    t.deepEqual(
      plan.filter((step) => READS_ALL.test(step)),
      [],
      sql,
    );
});

test('a statement that does read all of the history is noticed', async (t) => {
  const { database, plans } = await observed(t);
  await database
    .selectFrom('targets')
    .selectAll()
    .where('state', 'in', ['queued', 'running'])
    .execute();
  t.true(plans().some(({ plan }) => plan.some((step) => READS_ALL.test(step))));
});
