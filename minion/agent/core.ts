import { join } from 'node:path';
import type { MinionMessage, WireFacts } from '../../protocol/messages.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import type { JournalEntry, Prepared } from '../agent-files.ts';
import type { AtRest } from '../host/at-rest.ts';
import { openBlobCache } from './blob-cache.ts';
import { filesPutAside, makeOwn } from './files.ts';
import { createFollowers } from './followers.ts';
import type { Followers, Watcher } from './followers.ts';
import { openJournal } from './journal.ts';
import { readLast } from './last-revision.ts';
import { createLink } from './link.ts';
import type { Link } from './link.ts';
import { createObservers } from './observers.ts';
import type { Observer, Observers } from './observers.ts';
import { openPauses } from './pause.ts';
import type { Pauses } from './pause.ts';
import { createPreparer } from './prepare.ts';
import type { StartChild } from './run-child.ts';
import { createReserve, lentJournal, lentSpool } from './reserve.ts';
import type { Reserve } from './reserve.ts';
import { createRuns } from './runs.ts';
import type { Runs } from './runs.ts';
import { openSpool } from './spool.ts';
import type { Spool } from './spool.ts';

export interface CoreParts {
  readonly minion: string;
  readonly stateDirectory: string;
  readonly atRest: AtRest;
  /** The masters that this minion may talk to, for runs that must not cut them off; none if absent. */
  readonly masters?: () => readonly string[];
  readonly startChild: StartChild;
  readonly readFacts: () => Promise<WireFacts>;
  readonly log: Logger;
  readonly now: () => Date;
}

/** All of the agent but its ways in: connection, schedule and local socket. */
export interface Core {
  readonly link: Link;
  readonly runs: Runs;
  readonly spool: Spool;
  readonly pauses: Pauses;
  readonly log: Logger;
  readonly now: () => Date;
  /** So that what the master asks is answered even if no file can be opened any more. */
  readonly reserve: Reserve;
  /** What the master gave last; `null` if it never did. */
  lastPillar(): Prepared['pillar']['value'] | null;
  /** Tells what happens in it; for as long as it lives. */
  observe(observer: Observer): void;
  /** Sends what may be lost: if there is no session, the next one starts anew. */
  tell(message: MinionMessage): void;
  /** Which files have been found damaged and lie aside. */
  tellPutAside(): void;
  /** Facts as they are now; as they were, if they cannot be read. */
  facts(): Promise<WireFacts>;
  /** One refresh, or the one that is waiting already; gives its id. */
  refresh(asked?: AskedRefresh): string;
}

export interface AskedRefresh {
  readonly watcher?: Watcher;
  /** An hour if absent. */
  readonly timeoutSeconds?: number;
}

export function createCore(parts: CoreParts): Core {
  const { stateDirectory, atRest, log, now } = parts;
  const link = createLink();
  for (const name of DIRECTORIES) makeOwn(join(stateDirectory, name), log);
  const blobs = openBlobCache(stateDirectory, atRest);
  const reserve = createReserve();
  const isUnfinished = (job: string): boolean => runs.isUnfinished(job);
  const spool = lentSpool(reserve, openSpool({ ...parts, link, isUnfinished }));
  const followers = createFollowers(link);
  const observers = createObservers();
  const pauses = openPauses({ stateDirectory, now, elapsed, log, changed: observers.paused });
  const runs = createRuns({
    ...parts,
    blobDirectory: blobs.directory,
    blobKey: atRest.key,
    paused: () => pauses.current(),
    journal: lentJournal(reserve, openJournal(stateDirectory, log)),
    reserve,
    spool,
    preparer: createPreparer({ ...parts, link, blobs, learned: observers.pillar }),
    onEvent: (entry, event) => followers.event(entry, event),
    onEnd: ({ options }) => void ended(core, { followers, observers }, options.job),
  });
  const core: Core = {
    link,
    runs,
    spool,
    pauses,
    log,
    now,
    reserve,
    tellPutAside: () => reserve.lend(() => tellPutAside(core, stateDirectory)),
    facts: factsReader(parts),
    lastPillar: () => readLast({ stateDirectory, atRest, log })?.pillar.value ?? null,
    observe: observers.add,
    tell: (message) => void tell(core, message),
    refresh: (asked = {}) => refresh(core, followers, asked),
  };
  return core;
}

const DIRECTORIES = ['jobs', 'ended', 'spool', 'blobs'] as const;

function elapsed(): number {
  return performance.now();
}

interface Listeners {
  readonly followers: Followers;
  readonly observers: Observers;
}

/** The report comes after all that it sums up. */
async function ended(core: Core, { followers, observers }: Listeners, job: string): Promise<void> {
  const report = core.spool.get(job);
  if (report !== null) core.reserve.lend(() => observers.ended(job, report.status));
  await followers.end(job);
  core.spool.deliver();
  if (core.link.isConnected) core.tell({ type: 'facts', facts: await core.facts() });
  core.tellPutAside();
}

async function tell({ link, log }: Core, message: MinionMessage): Promise<void> {
  try {
    await link.send(message);
  } catch (error) {
    log.debug({ type: message.type, problem: messageOf(error) }, 'Message not sent');
  }
}

/** They are an alarm on the master for as long as they lie there: somebody should look at the disk. */
function tellPutAside(core: Core, stateDirectory: string): void {
  const files = filesPutAside(stateDirectory);
  if (files.length > 0 && core.link.isConnected) core.tell({ type: 'put-aside', files });
}

function factsReader({ readFacts, log }: CoreParts): () => Promise<WireFacts> {
  let last: WireFacts = {};
  return async () => {
    try {
      last = await readFacts();
    } catch (error) {
      log.error({ error }, 'Facts could not be read');
    }
    return last;
  };
}

function refresh(
  { runs, now }: Core,
  followers: Followers,
  { watcher, timeoutSeconds = REFRESH_TIMEOUT_SECONDS }: AskedRefresh,
): string {
  const waiting = runs.waiting.find(({ options }) => options.cause === 'refresh');
  const entry = waiting ?? refreshAt(now(), timeoutSeconds);
  if (watcher !== undefined) followers.add(entry.options.job, watcher);
  runs.add(entry);
  return entry.options.job;
}

const REFRESH_TIMEOUT_SECONDS = 3_600;

/** The newest revision, the whole top file. */
function refreshAt(now: Date, timeoutSeconds: number): JournalEntry {
  return {
    options: {
      job: uuidv7(now.getTime()),
      cause: 'refresh',
      dryRun: false,
      stateFiles: [],
      params: {},
      timeoutSeconds,
    },
    revision: null,
    receivedAt: now.toISOString(),
    expiresAt: null,
    starts: 0,
    child: null,
  };
}
