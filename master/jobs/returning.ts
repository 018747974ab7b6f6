import type { JobContext } from './job-context.ts';
import { RETURN_MS } from './standing.ts';

type Parts = Pick<JobContext, 'store' | 'returning' | 'uptime' | 'log'>;

/** Those who were on the line when the master before this one ended, however long ago, will soon be back. */
export async function awaitReturning({ store, returning, log }: Parts): Promise<void> {
  for (const minion of await store.attendance.left()) returning.add(minion);
  try {
    await store.attendance.takeOver();
  } catch (error) {
    // A full disk must not keep a master from starting.
    log.error({ error }, 'Awaited minions not noted');
  }
}

/** Once their time is over, a master after this one does not await those who have stayed away. */
export async function awaitNoMore({ store, returning, uptime }: Parts): Promise<void> {
  if (returning.size === 0 || uptime() < RETURN_MS) return;
  returning.clear();
  await store.attendance.awaitNoMore();
}
