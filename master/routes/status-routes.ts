import type { FastifyInstance } from 'fastify';
import { lintQuery } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { MinionStatus, StatusAnswer } from '../api/answers.ts';
import { catalogOf } from '../catalog.ts';
import type { Caller } from '../gate.ts';
import { findKey } from '../keys/manage-keys.ts';
import type { Services } from '../services.ts';
import type { Minion, ReportSummary } from '../store/store.ts';

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
  const accepted = all.filter(({ state }) => state === 'accepted');
  return {
    fingerprint: rootFingerprint,
    listen,
    revision: publisher.newest(),
    broken: publisher.broken(),
    pendingKeys: all.filter(({ state }) => state === 'pending').length,
    alarms: [...alarms.list()],
    minions: await Promise.all(
      accepted.map((minion) => minionStatus(services, minion, latest.get(minion.id))),
    ),
  };
}

async function minionStatus(
  { store, presence, jobs }: Services,
  minion: Minion,
  report: ReportSummary | undefined,
): Promise<MinionStatus> {
  const { id, groups, address, version, nextRefresh } = minion;
  const session = presence.get(id);
  const unfinished = await store.jobs.unfinishedOf(id);
  return {
    id,
    groups: [...groups],
    online: session !== null,
    since: session?.connectedAt ?? minion.seenAt,
    address,
    version,
    nextRefresh,
    lastRun: report === undefined ? null : lastRun(report),
    running: unfinished.map(({ job, target }) => {
      const { number = null, total = null, current = null } = jobs.progressOf(job.id, id) ?? {};
      return { job: job.id, state: target.state, number, total, current };
    }),
  };
}

function lastRun({ job, cause, status: result, endedAt, revision, counts, owed }: ReportSummary) {
  return { job, cause, status: result, endedAt, revision, counts, owed };
}

/** The tree directory as it is now, and if a minion is named what it means for that one. */
async function lintFor(services: Services, id: string | undefined) {
  const { publisher } = services;
  const { revision } = await publisher.current();
  const ids = id === undefined ? [] : [id];
  for (const each of ids)
    await catalogOf(services, await publisher.tree(revision), await findKey(services, each));
  return { problems: 0, text: '' };
}
