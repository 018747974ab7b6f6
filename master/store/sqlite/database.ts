import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import {
  type GeneratedAlways,
  Kysely,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
} from 'kysely';
import { ConductorError, messageOf } from '../../../shared/errors.ts';
import { migrate } from './migrations.ts';

export interface Tables {
  minions: {
    id: string;
    public_key: string;
    state: string;
    generation: number;
    groups: string;
    created_at: string;
    accepted_at: string | null;
    accepted_by: string | null;
    address: string | null;
    seen_at: string | null;
    version: string | null;
    next_refresh: string | null;
    attendance: string | null;
  };
  life: { id: number; alive_at: string };
  facts: { minion: string; facts: string; updated_at: string };
  intentions: {
    minion: string;
    schedule_source: string | null;
    pause: string | null;
    owed: string | null;
  };
  invitations: {
    tid: string;
    secret_hash: string;
    id_glob: string;
    groups: string;
    created_at: string;
    expires_at: string;
    used_by: string | null;
  };
  jobs: {
    id: string;
    created_at: string;
    target: string;
    state_files: string;
    params: string;
    dry_run: number;
    timeout_seconds: number;
    revision: string;
    rollout: string;
    cancelled_at: string | null;
    retry_of: string | null;
  };
  targets: {
    job: string;
    minion: string;
    state: string;
    updated_at: string;
    counts: string | null;
    error: string | null;
    expires_at: string | null;
    deadline: string | null;
  };
  reports: {
    job: string;
    minion: string;
    cause: string;
    status: string;
    dry_run: number;
    state_files: string;
    is_partial: GeneratedAlways<number>;
    revision: string;
    started_at: string;
    ended_at: string;
    received_at: string;
    counts: string;
    owed: number;
    size: number;
    body: string;
  };
  drifts: {
    minion: string;
    key: string;
    id: string;
    name: string;
    type: string;
    place: string;
    times: number;
    since: string;
    last_at: string;
    job: string;
  };
  revisions: { id: string; number: number; published_at: string; manifest: string };
  certificates: { serial: number; bytes: string; created_at: string };
}

export type Database = Kysely<Tables>;

/**
 * Opens the database file (`:memory:` for none) with the newest schema. Every commit is on disk
 * when it returns: keys, tokens, jobs and reports must all survive a power loss. Only its owner can read it.
 */
export async function openDatabase(path: string): Promise<Database> {
  let file: DatabaseSyncInstance;
  try {
    if (path !== ':memory:') keepToOwner(path);
    file = new DatabaseSync(path, { timeout: 5000 });
    file.exec('pragma journal_mode = wal');
    file.exec('pragma synchronous = full');
    file.exec('pragma foreign_keys = on');
  } catch (error) {
    throw unusable(path, error);
  }
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapt(file) }) });
  try {
    await migrate(database);
  } catch (error) {
    await database.destroy();
    throw unusable(path, error);
  }
  return database;
}

/** Also the files beside it, which SQLite makes with the mode of the database. */
function keepToOwner(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    if (existsSync(file)) chmodSync(file, 0o600);
}

function unusable(path: string, cause: unknown): ConductorError {
  const message = `Cannot open the store "${path}": ${messageOf(cause)}`;
  return new ConductorError('STATE_DIRECTORY_INVALID', message, { cause });
}

/** The few words in which kysely speaks to SQLite. Statements are few and fixed, so they are kept. */
function adapt(file: DatabaseSyncInstance): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>();
  return {
    close: () => file.close(),
    prepare(text) {
      const known = prepared.get(text);
      if (known !== undefined) return known;
      const statement = file.prepare(text);
      // What has failed for want of space may have been rolled back already: that is no second failure.
      const isDone = (): boolean => text === 'rollback' && !file.isTransaction;
      const adapted: SqliteStatement = {
        reader: statement.columns().length > 0,
        all: (parameters) => explaining(() => statement.all(...parameters)),
        run: (parameters) =>
          isDone() ? NOTHING_DONE : explaining(() => statement.run(...parameters)),
        iterate: (parameters) => statement.iterate(...parameters),
      };
      if (prepared.size < 200) prepared.set(text, adapted);
      return adapted;
    },
  };
}

const NOTHING_DONE = { changes: 0, lastInsertRowid: 0 };

/** The primary result codes that say something of the disk. */
const DISK_PROBLEMS: Readonly<Record<number, string>> = {
  8: 'the file system is read-only',
  10: 'the disk has failed',
  13: 'the disk is full',
};

function explaining<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const code = cause instanceof Error && 'sqliteCode' in cause ? cause.sqliteCode : undefined;
    const problem = typeof code === 'number' ? DISK_PROBLEMS[code] : undefined;
    if (problem === undefined) throw cause;
    const message = `Cannot use the database of the master: ${problem}`;
    throw new ConductorError('HOST_FILE_FAILED', message, { cause });
  }
}
