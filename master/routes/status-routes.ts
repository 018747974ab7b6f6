import type { FastifyInstance } from 'fastify';
import { lintQuery } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { MinionStatus, StatusAnswer } from '../api/answers.ts';
import { checkFor } from '../catalog.ts';
import type { Caller } from '../gate.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { lintPillars } from '../lint-pillars.ts';
import { findKey } from '../keys/manage-keys.ts';
import { pauseOf } from '../pauses/minion-pauses.ts';
import type { Services } from '../services.ts';
import type { Intention } from '../store/intention-store.ts';
import type { JobTarget, LatestRuns, Minion, ReportSummary } from '../store/store.ts';

export function statusRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  addRoute(app, caller, {
    method: 'GET',
    url: '/status',
    permission: 'status.read',
    handle: () => status(services),
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/lint',
    permission: 'tree.read',
    query: lintQuery,
    handle: ({ query: { minion } }) => lintFor(services, minion),
  });
}

async function status(services: Services): Promise<StatusAnswer> {
  const { store, publisher, alarms, rootFingerprint, listen } = services;
  const all = await store.minions.list();
  const latest = await store.reports.latest();
  const intentions = await store.intentions.all();
  const since = new Date(services.now().getTime() - WEEK_MS).toISOString();
  const drifts = await store.drifts.counts({ since });
  const underWay = new Map<string, JobTarget[]>();
  for (const target of await store.jobs.unfinished())
    underWay.set(target.minion, [...(underWay.get(target.minion) ?? []), target]);
  const waits = new Map<string, WaitsFor>();
  for (const job of await store.jobs.withQueued())
    waits.set(job.id, await services.jobs.waitsIn(job));
  const accepted = all.filter(({ state }) => state === 'accepted');
  return {
    fingerprint: rootFingerprint,
    listen,
    revision: publisher.newest(),
    broken: publisher.broken(),
    pendingKeys: all.filter(({ state }) => state === 'pending').length,
    alarms: [...alarms.list()],
    minions: accepted.map((minion) => {
      const last = latest.get(minion.id) ?? NO_RUNS;
      const unfinished = underWay.get(minion.id) ?? [];
      const intention = intentions.get(minion.id) ?? NO_INTENTION;
      const drift = drifts.get(minion.id) ?? 0;
      return minionStatus(services, minion, { last, unfinished, waits, intention, drift });
    }),
  };
}

type WaitsFor = Awaited<ReturnType<Jobs['waitsIn']>>;

interface Past {
  readonly last: LatestRuns;
  readonly unfinished: readonly JobTarget[];
  /** Of jobs of which a target waits, by their ids. */
  readonly waits: ReadonlyMap<string, WaitsFor>;
  readonly intention: Intention;
  readonly drift: number;
}

const NO_RUNS: LatestRuns = { whole: null, partial: null };
const NO_INTENTION: Intention = { scheduleSource: null, pause: null, owed: null };
const WEEK_MS = 7 * 86_400_000;

function minionStatus(
  { presence, jobs, now }: Services,
  minion: Minion,
  { last, unfinished, waits, intention, drift }: Past,
): MinionStatus {
  const { id, groups, address, version, nextRefresh } = minion;
  const session = presence.get(id);
  return {
    id,
    groups: [...groups],
    online: session !== null,
    since: session?.connectedAt ?? minion.seenAt,
    address,
    version,
    nextRefresh,
    scheduleSource: intention.scheduleSource,
    pause: pauseOf(intention, now()),
    lastRun: last.whole === null ? null : runOf(last.whole),
    lastPartialRun: last.partial === null ? null : partialRunOf(last.partial),
    drift,
    running: unfinished.map((target) => runningOf(jobs, waits.get(target.job), target)),
  };
}

function runningOf(jobs: Jobs, waitsFor: WaitsFor | undefined, target: JobTarget) {
  const { job, minion, state } = target;
  const { number = null, total = null, current = null } = jobs.progressOf(job, minion) ?? {};
  const waits = waitsFor?.(target) ?? null;
  return { job, state, number, total, current, waits };
}

function runOf({ job, cause, status: result, endedAt, revision, counts, owed }: ReportSummary) {
  return { job, cause, status: result, endedAt, revision, counts, owed };
}

function partialRunOf(run: ReportSummary) {
  return { ...runOf(run), stateFiles: [...run.stateFiles] };
}

/** The tree directory as it is now: what it means for a minion, or the pillars that it gives to all of them. */
async function lintFor(services: Services, id: string | undefined) {
  const { publisher } = services;
  const { revision } = await publisher.current();
  const tree = await publisher.tree(revision);
  if (id === undefined) await lintPillars(services, tree);
  else await checkFor(services, tree, await findKey(services, id));
  return { problems: 0, text: '' };
}
