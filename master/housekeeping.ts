import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { MasterConfig } from './config/master-config.ts';
import type { Services } from './services.ts';
import { PENDING_LIMITS } from './sessions/enrolment.ts';

const TICK_MS = 1_000;
const SWEEP_MS = 5_000;
const ALIVE_MS = 60_000;
const PRUNE_MS = 3_600_000;
const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
/** Longer than this the master must not be deaf. */
const LAG_MS = 200;

/** Ends what is overdue, and forgets what is old. */
export function startHousekeeping(
  services: Pick<Services, 'jobs' | 'store' | 'log' | 'now'>,
  history: MasterConfig['history'],
): { stop(): void } {
  const { jobs, store, log, now } = services;
  const guarded = (work: () => Promise<void>, message: string) => () => {
    work().catch((error: unknown) => {
      log.error({ error }, message);
    });
  };
  const every = (milliseconds: number, work: () => Promise<void>, message: string) =>
    setInterval(guarded(work, message), milliseconds);
  // Nothing is too old yet: the clock of a machine that has just started may be years ahead, and soon be put right.
  guarded(() => trim(services, history), 'Pruning failed')();
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const alive = () => store.attendance.alive(now().toISOString());
  const timers = [
    every(SWEEP_MS, () => jobs.sweep(), 'Sweep failed'),
    every(SWEEP_MS, () => trimIfDue(services, history), 'Pruning failed'),
    every(TICK_MS, () => jobs.tick(), 'Jobs could not go on'),
    every(ALIVE_MS, alive, 'Master not noted as alive'),
    every(PRUNE_MS, () => prune(services, history), 'Pruning failed'),
    setInterval(() => noteLag(lag, services), SWEEP_MS),
  ];
  return {
    stop() {
      for (const timer of timers) clearInterval(timer);
      lag.disable();
    },
  };
}

function noteLag(
  lag: Pick<IntervalHistogram, 'max' | 'reset'>,
  { log }: Pick<Services, 'log'>,
): void {
  const milliseconds = Math.round(lag.max / 1e6);
  lag.reset();
  if (milliseconds > LAG_MS) log.warn({ milliseconds }, 'Event loop lagged');
}

/** Of what may be kept, the part that may come between two prunings. */
const DUE = 1 / 16;

/** An hour is long for whoever sends without an end. */
export async function trimIfDue(
  services: Pick<Services, 'store' | 'log'>,
  history: Pick<MasterConfig['history'], 'megabytes'>,
): Promise<void> {
  const isDue = services.store.reports.bytesAdded() > history.megabytes * MIB * DUE;
  if (isDue) await trim(services, history);
}

async function trim(
  { store, log }: Pick<Services, 'store' | 'log'>,
  { megabytes }: Pick<MasterConfig['history'], 'megabytes'>,
): Promise<void> {
  const reports = await store.reports.prune({ receivedBefore: '', bytes: megabytes * MIB });
  if (reports > 0) log.info({ reports }, 'History pruned');
}

export async function prune(
  { store, log, now }: Pick<Services, 'store' | 'log' | 'now'>,
  { days, megabytes }: MasterConfig['history'],
): Promise<void> {
  const before = (age: number) => new Date(now().getTime() - age * DAY_MS).toISOString();
  const reports = await store.reports.prune({
    receivedBefore: before(days),
    bytes: megabytes * MIB,
  });
  const forgotten = await store.minions.removePending(before(PENDING_LIMITS.days));
  await store.invitations.removeExpired(before(days));
  if (reports + forgotten.length > 0) log.info({ reports, forgotten }, 'History pruned');
}
