import { type Kysely, type Migration, type MigrationProvider, Migrator, sql } from 'kysely';
import { messageOf } from '../../../shared/errors.ts';

/** In order; what has been released is never edited, only followed by another. */
const MIGRATIONS: Readonly<Record<string, readonly string[]>> = {
  '0001-first': [
    `create table minions (
      id text primary key,
      public_key text not null unique,
      state text not null,
      generation integer not null,
      groups text not null,
      created_at text not null,
      accepted_at text,
      accepted_by text,
      address text,
      seen_at text,
      version text,
      next_refresh text
    ) strict, without rowid`,
    `create table facts (
      minion text primary key,
      facts text not null,
      updated_at text not null
    ) strict, without rowid`,
    `create table invitations (
      tid text primary key,
      secret_hash text not null,
      id_glob text not null,
      groups text not null,
      created_at text not null,
      expires_at text not null,
      used_by text
    ) strict, without rowid`,
    `create table jobs (
      id text primary key,
      created_at text not null,
      target text not null,
      state_files text not null,
      params text not null,
      dry_run integer not null,
      timeout_seconds integer not null,
      revision text not null,
      expires_at text not null,
      deadline text not null
    ) strict, without rowid`,
    `create table targets (
      job text not null references jobs (id) on delete cascade,
      minion text not null,
      state text not null,
      updated_at text not null,
      counts text,
      error text,
      primary key (job, minion)
    ) strict, without rowid`,
    `create index unfinished_targets on targets (minion, job)
      where state in ('queued', 'delivered', 'running')`,
    `create table reports (
      job text not null,
      minion text not null,
      cause text not null,
      status text not null,
      dry_run integer not null,
      revision text not null,
      started_at text not null,
      ended_at text not null,
      received_at text not null,
      counts text not null,
      owed integer not null,
      size integer not null,
      body text not null,
      primary key (job, minion)
    ) strict`,
    `create index reports_by_age on reports (received_at, size)`,
    `create index reports_by_minion on reports (minion, dry_run, ended_at)`,
    `create table revisions (
      id text primary key,
      number integer not null unique,
      published_at text not null,
      manifest text not null
    ) strict`,
    `create table certificates (
      serial integer primary key,
      bytes text not null,
      created_at text not null
    ) strict`,
  ],
  // Each target has times of its own, from when its turn comes.
  '0002-rollouts': [
    `alter table targets add column expires_at text`,
    `alter table targets add column deadline text`,
    `update targets set
      expires_at = (select expires_at from jobs where id = job),
      deadline = (select deadline from jobs where id = job)`,
    `alter table jobs drop column expires_at`,
    `alter table jobs drop column deadline`,
    `alter table jobs add column rollout text not null default '{}'`,
    `alter table jobs add column cancelled_at text`,
    `alter table jobs add column retry_of text`,
    `create index cancelled_jobs on jobs (id) where cancelled_at is not null`,
    `create index queued_targets on targets (job) where state = 'queued'`,
  ],
  '0002-intentions': [
    `create table intentions (
      minion text primary key,
      schedule_source text,
      pause text,
      owed text
    ) strict, without rowid`,
  ],
  '0003-drift': [
    `create table drifts (
      minion text not null,
      key text not null,
      id text not null,
      name text not null,
      type text not null,
      place text not null,
      times integer not null,
      since text not null,
      last_at text not null,
      job text not null,
      primary key (minion, key)
    ) strict, without rowid`,
    `create index drifts_by_age on drifts (last_at)`,
  ],
  // No run has ended after its report came, whatever the clock of its host says.
  '0004-clocks': [
    `drop index reports_by_minion`,
    `create index reports_by_minion on reports (minion, dry_run, min(ended_at, received_at))`,
  ],
  '0005-unreported': [
    `create index unreported_targets on targets (minion, job) where counts is null`,
  ],
  // For pages of them, newest first.
  '0006-pages': [
    `create index reports_by_start on reports (started_at, job)`,
    `create index jobs_by_start on jobs (created_at, id)`,
  ],
  // What a run of the whole tree says of a host, one of some state files does not.
  '0007-partial-runs': [
    `alter table reports add column state_files text not null default '[]'`,
    `update reports set state_files =
      coalesce((select jobs.state_files from jobs where jobs.id = reports.job), '[]')`,
    `alter table reports add column is_partial integer
      generated always as (state_files <> '[]') virtual`,
    `drop index reports_by_minion`,
    `create index reports_by_minion
      on reports (minion, dry_run, is_partial, min(ended_at, received_at))`,
  ],
  // `connected`, or `awaited` by a master that began when it had been connected to the one before.
  '0008-attendance': [
    `alter table minions add column attendance text`,
    `create table life (
      id integer primary key,
      alive_at text not null
    ) strict`,
  ],
};

const provider: MigrationProvider = {
  getMigrations: () =>
    Promise.resolve(
      Object.fromEntries(
        Object.entries(MIGRATIONS).map(([name, statements]) => [name, migration(statements)]),
      ),
    ),
};

function migration(statements: readonly string[]): Migration {
  return {
    async up(database: Kysely<unknown>): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(database);
    },
  };
}

/** Brings a database to the newest schema, whole or not at all; throws what went wrong. */
export async function migrate<Tables>(database: Kysely<Tables>): Promise<void> {
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error(messageOf(error));
}
