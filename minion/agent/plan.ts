import { isAllowed, nextMoment, soonMoment } from '../../shared/schedule/schedule.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';

/** What a minion intends: all that its schedule has to remember. Instants are milliseconds since 1970. */
export interface Plan {
  /** `null` if it is never to refresh by itself. */
  readonly next: number | null;
  /** How often a refresh that failed has been tried again. */
  readonly retries: number;
}

/** Whose plan it is, and by which schedule. */
export interface Planner {
  readonly schedule: Schedule;
  readonly id: string;
}

export interface Look {
  readonly plan: Plan;
  /** `postponed`: it was missed, and is made up soon. `left-out`: it was missed, and the next regular one will do. */
  readonly step: 'wait' | 'run' | 'postponed' | 'left-out';
}

/** What comes later than this has been missed: the minion was away, or its clock has jumped. */
const PROMPT_MS = 2 * 60_000;

export function firstPlan({ schedule, id }: Planner, now: number): Plan {
  return { next: nextMoment(schedule, id, now), retries: 0 };
}

/**
 * What is to be done now. Nothing is planned for later than the schedule's next moment as the clock shows it,
 * so that a clock that was set back starves nothing; what was missed is one run, however much it was.
 */
export function look({ schedule, id }: Planner, plan: Plan, now: number): Look {
  const regular = nextMoment(schedule, id, now);
  const { next } = plan;
  if (regular === null || next === null || next > regular)
    return { plan: { ...plan, next: regular }, step: 'wait' };
  if (next > now) return { plan, step: 'wait' };
  if (now - next <= PROMPT_MS) return { plan: { ...plan, next: regular }, step: 'run' };
  const soon = schedule.catchUp ? soonMoment(schedule, id, { now, regular }) : null;
  if (soon === null) return { plan: { next: regular, retries: 0 }, step: 'left-out' };
  return { plan: { ...plan, next: soon }, step: 'postponed' };
}

/** When a run comes if nothing holds it back from a moment on, which may be later than it was planned. */
export function comingFrom(planner: Planner, plan: Plan, moment: number): number | null {
  const { next } = plan;
  if (next === null || next > moment) return next;
  const then = look(planner, plan, moment);
  return then.step === 'run' ? moment : then.plan.next;
}

/** A refresh has ended: one that failed is tried again, as often as the schedule says, before the next. */
export function afterRun(
  { schedule }: Pick<Planner, 'schedule'>,
  plan: Plan,
  { now, hasFailed }: { readonly now: number; readonly hasFailed: boolean },
): Plan {
  const { retry } = schedule;
  if (!hasFailed || retry === null || plan.retries >= retry.attempts)
    return { ...plan, retries: 0 };
  const next = now + retry.afterSeconds * 1000;
  const isInTime = plan.next === null || next < plan.next;
  if (!isInTime || !isAllowed(schedule, next)) return { ...plan, retries: 0 };
  return { next, retries: plan.retries + 1 };
}
