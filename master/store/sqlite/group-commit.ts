import { setImmediate as turn, setTimeout as after } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from './database.ts';

/** One unit of writing: all of it is written, or nothing. */
type Work<T> = (database: Database) => Promise<T>;

/** Runs a unit of writing; it is on disk when the promise is kept. */
export type Commit = <T>(work: Work<T>) => Promise<T>;

/** In milliseconds, of a clock that nobody sets. */
interface Time {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

const REAL: Time = { now: () => performance.now(), sleep: (milliseconds) => after(milliseconds) };

export interface GroupCommits {
  readonly commit: Commit;
  /** Until all that was asked for is on disk, or has failed. */
  readonly settled: () => Promise<void>;
}

/** So many units share a commit at most: whoever reads meanwhile has to wait for it. */
const LARGEST_GROUP = 500;
/** A disk that takes longer than this is waited for as it is. */
const LONGEST_PAUSE_MS = 50;

interface Waiting {
  /** Carries out the work, and gives what is to be told once it is on disk. */
  readonly run: (database: Database) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits together what comes in together: a commit waits for the disk, and a thousand minions that
 * report at once need not wait a thousand times. Nothing else goes on meanwhile, so each commit is
 * followed by a pause as long as it took: half of the time is for what else there is to do, and the
 * next group is the larger, the slower the disk is. Units run one after the other; one that fails
 * takes back its own writes only.
 */
export function groupCommits(database: Database, { now, sleep }: Time = REAL): GroupCommits {
  const queue: Waiting[] = [];
  let isRunning = false;
  let running: Promise<void> = Promise.resolve();
  let notBefore = 0;

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const pause = notBefore - now();
      if (pause > 0) await sleep(pause);
      const begun = now();
      await commitGroup(database, queue.splice(0, LARGEST_GROUP));
      const ended = now();
      notBefore = ended + Math.min(LONGEST_PAUSE_MS, ended - begun);
    }
    isRunning = false;
  }

  const commit: Commit = (work) =>
    new Promise((resolve, reject) => {
      const run = async (transaction: Database) => {
        const result = await work(transaction);
        return () => resolve(result);
      };
      queue.push({ run, reject });
      if (isRunning) return;
      isRunning = true;
      // What else has come in by now gets into the same group.
      running = turn().then(drain);
    });
  return { commit, settled: () => running };
}

/** Never rejects: every unit is told what became of it. */
async function commitGroup(database: Database, group: readonly Waiting[]): Promise<void> {
  try {
    const told = await database.transaction().execute(async (transaction) => {
      const done: (() => void)[] = [];
      for (const waiting of group) done.push(await runOne(transaction, waiting));
      return done;
    });
    for (const tell of told) tell();
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}

async function runOne(transaction: Database, { run, reject }: Waiting): Promise<() => void> {
  await sql`savepoint unit`.execute(transaction);
  try {
    return await run(transaction);
  } catch (error) {
    await sql`rollback to unit`.execute(transaction);
    return () => reject(error);
  } finally {
    await sql`release unit`.execute(transaction);
  }
}
