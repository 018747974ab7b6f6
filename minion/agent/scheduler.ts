import { join } from 'node:path';
import type { Report } from '../../protocol/report.ts';
import { canonicalJson } from '../../shared/canonical-json.ts';
import type { Logger } from '../../shared/log.ts';
import { nextMoment } from '../../shared/schedule/schedule.ts';
import { scheduleSchema } from '../agent-files.ts';
import type { KeptSchedule } from '../agent-files.ts';
import type { RefreshConfig } from '../config-schema.ts';
import { writeDurably } from '../host/durable-file.ts';
import { readOwn } from './files.ts';
import { afterRun, comingFrom, firstPlan, look } from './plan.ts';
import type { Look, Plan } from './plan.ts';
import { sourcedSchedule } from './schedule-source.ts';
import type { Json, SourcedSchedule } from './schedule-source.ts';

export interface SchedulerParts {
  /** What minion.yaml says. */
  readonly refresh: RefreshConfig;
  /** What the pillar said last, for a minion that has not kept it yet; `null` for nothing. */
  readonly pillarSchedule: () => Json | null;
  readonly id: string;
  readonly stateDirectory: string;
  readonly log: Logger;
  readonly now: () => Date;
  /** The moment has come: starts a run that may take so long, and gives its id. */
  readonly due: (timeoutSeconds: number) => string;
  /** There is a new next moment, or another schedule. */
  readonly changed: () => void;
  /** Until when a pause holds scheduled runs back; `null` if none does. */
  readonly heldUntil: () => Date | null;
}

export interface Scheduler {
  /** When it comes by itself, after a pause if there is one; `null` for never. */
  readonly next: Date | null;
  readonly source: SourcedSchedule['source'];
  /** The pillar has come: `written` is its schedule, `null` if it has none. */
  learn(written: Json | null): void;
  /** A run has ended; only those that the schedule has started matter. */
  ended(job: string, status: Report['status']): void;
  /** Looks at once, as a pause has begun or ended. */
  wake(): void;
  stop(): void;
}

/** A timer may be this long; then the wall clock is looked at again, as it may have been set. */
const LONGEST_TIMER_MS = 15 * 60_000;
/** While runs are held back, which may end at any time. */
const HELD_TIMER_MS = 60_000;

interface State {
  schedule: SourcedSchedule;
  plan: Plan;
  /** The last run that the schedule has started; `null` once its end has been considered. */
  job: string | null;
  timer: NodeJS.Timeout | undefined;
  /** It has been told that what is due is held back. */
  isHeldTold: boolean;
}

/** Starts a run at each moment of the schedule. One that was missed while nothing ran is made up once. */
export function startScheduler(parts: SchedulerParts): Scheduler {
  const state = firstState(parts);
  save(parts, state);
  arm(parts, state);
  return {
    get next() {
      return upcoming(parts, state);
    },
    get source() {
      return state.schedule.source;
    },
    learn: (written) => learn(parts, state, written),
    ended: (job, status) => ended(parts, state, { job, status }),
    wake: () => arm(parts, state),
    stop: () => {
      clearTimeout(state.timer);
    },
  };
}

function upcoming({ id, now, heldUntil }: SchedulerParts, state: State): Date | null {
  const free = Math.max(now().getTime(), heldUntil()?.getTime() ?? 0);
  const { schedule } = state.schedule;
  const next = comingFrom({ schedule, id }, state.plan, free);
  return next === null ? null : new Date(next);
}

function pathOf({ stateDirectory }: SchedulerParts): string {
  return join(stateDirectory, 'schedule.json');
}

function firstState(parts: SchedulerParts): State {
  const { refresh, log } = parts;
  const kept = readOwn(pathOf(parts), (value) => scheduleSchema.parse(value), log);
  const written =
    kept === null || kept.schedule === undefined ? parts.pillarSchedule() : kept.schedule;
  const schedule = sourcedSchedule(written, refresh, log);
  const rest = { job: kept?.job ?? null, timer: undefined, isHeldTold: false };
  return { schedule, plan: firstPlanOf(parts, schedule, kept), ...rest };
}

/** As before a restart, unless minion.yaml says something else now; what was missed is for the first look. */
function firstPlanOf(
  { id, now, refresh }: SchedulerParts,
  { schedule, source }: SourcedSchedule,
  kept: KeptSchedule | null,
): Plan {
  const plan = firstPlan({ schedule, id }, now().getTime());
  if (kept === null || kept.nextRefresh === null || plan.next === null) return plan;
  const next = Date.parse(kept.nextRefresh);
  const isSame = canonicalJson(kept.refresh ?? refresh) === canonicalJson(refresh);
  if (source !== 'pillar' && !isSame && next > now().getTime()) return plan;
  return { next: Math.min(next, plan.next), retries: kept.retries ?? 0 };
}

function save(parts: SchedulerParts, { schedule, plan, job }: State): void {
  const kept: KeptSchedule = {
    nextRefresh: plan.next === null ? null : new Date(plan.next).toISOString(),
    schedule: schedule.written,
    refresh: parts.refresh,
    job,
    retries: plan.retries,
  };
  try {
    writeDurably(pathOf(parts), JSON.stringify(kept));
  } catch (error) {
    // What is lost is that a refresh may be missed; without the agent, all of them would be.
    parts.log.error({ error }, 'Schedule could not be kept');
  }
}

/** Looks as soon as something may have to be done. */
function arm(parts: SchedulerParts, state: State): void {
  // Asking may end a pause, which comes here again.
  const isHeld = parts.heldUntil() !== null;
  clearTimeout(state.timer);
  const longest = isHeld ? HELD_TIMER_MS : LONGEST_TIMER_MS;
  const { next } = state.plan;
  const left = next === null ? longest : next - parts.now().getTime();
  const least = isHeld && state.isHeldTold ? HELD_TIMER_MS : 0;
  state.timer = setTimeout(() => tick(parts, state), Math.min(Math.max(left, least), longest));
}

function tick(parts: SchedulerParts, state: State): void {
  if (parts.heldUntil() !== null) tellHeld(parts, state);
  else {
    state.isHeldTold = false;
    act(parts, state);
  }
  arm(parts, state);
}

function tellHeld({ log, now }: SchedulerParts, state: State): void {
  const { next } = state.plan;
  if (state.isHeldTold || next === null || next > now().getTime()) return;
  state.isHeldTold = true;
  log.warn({ due: new Date(next) }, 'Refresh was held back by a pause');
}

function act(parts: SchedulerParts, state: State): void {
  const { schedule } = state.schedule;
  const before = state.plan.next;
  const { plan, step } = look({ schedule, id: parts.id }, state.plan, parts.now().getTime());
  state.plan = plan;
  if (step === 'run') state.job = parts.due(schedule.timeoutSeconds);
  if (step === 'wait' && plan.next === before) return;
  if (step !== 'run')
    parts.log.info({ planned: shown(before), next: shown(plan.next) }, WORDS[step]);
  save(parts, state);
  parts.changed();
}

const WORDS = {
  wait: 'Refresh was planned anew',
  postponed: 'Refresh was missed, and is made up soon',
  'left-out': 'Refresh was missed, and is left to the next one',
} as const satisfies Record<Exclude<Look['step'], 'run'>, string>;

function shown(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString();
}

function learn(parts: SchedulerParts, state: State, written: Json | null): void {
  if (canonicalJson(written) === canonicalJson(state.schedule.written)) return;
  const { id, refresh, log, now } = parts;
  state.schedule = sourcedSchedule(written, refresh, log);
  const { schedule, source } = state.schedule;
  state.plan = { next: nextMoment(schedule, id, now().getTime()), retries: 0 };
  log.info({ source, next: shown(state.plan.next) }, 'Schedule has changed');
  save(parts, state);
  arm(parts, state);
  parts.changed();
}

const FAILURES: ReadonlySet<Report['status']> = new Set(['failed', 'timeout', 'interrupted']);

function ended(
  parts: SchedulerParts,
  state: State,
  { job, status }: { readonly job: string; readonly status: Report['status'] },
): void {
  if (job !== state.job) return;
  state.job = null;
  const end = { now: parts.now().getTime(), hasFailed: FAILURES.has(status) };
  const before = state.plan.next;
  state.plan = afterRun(state.schedule, state.plan, end);
  save(parts, state);
  if (state.plan.next === before) return;
  parts.log.warn({ job, next: shown(state.plan.next) }, 'Refresh has failed, and is tried again');
  arm(parts, state);
  parts.changed();
}
