import type { z } from 'zod';
import type { TargetState } from '../../protocol/messages.ts';
import type { listJobsQuery } from '../api/requests.ts';
import { findMinions } from '../jobs/find-minions.ts';
import { findRun, idOf, type listRuns, madeAt } from '../jobs/find-run.ts';
import { UNFINISHED_STATES } from '../jobs/job-result.ts';
import type { Services } from '../services.ts';

type ListQuery = z.infer<typeof listJobsQuery>;

/** What is asked of the list of runs. Throws as `findMinions` and `findRun` do. */
export async function runQuery(
  services: Services,
  query: ListQuery,
): Promise<Parameters<typeof listRuns>[1]> {
  const { limit, kind, since, status, before } = query;
  const older = before === undefined ? undefined : await findRun(services.store, before);
  return {
    limit,
    kind,
    since,
    minions: await minionsOf(services, query),
    states: statesOf(status),
    before: older === undefined ? undefined : { at: madeAt(older), id: idOf(older) },
  };
}

function statesOf(status: ListQuery['status']): readonly TargetState[] | undefined {
  if (status === 'unfinished') return UNFINISHED_STATES;
  return status === undefined ? undefined : [status];
}

async function minionsOf(
  services: Services,
  { target, minion }: ListQuery,
): Promise<readonly string[] | undefined> {
  const meant = target === undefined ? undefined : await findMinions(services, target);
  if (minion === undefined) return meant;
  return meant === undefined || meant.includes(minion) ? [minion] : [];
}
