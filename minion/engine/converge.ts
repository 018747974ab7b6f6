import { diff } from '../../shared/change.ts';
import type { Attributes, Change } from '../../shared/change.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Host, HostView } from '../host/host.ts';
import { viewOf } from '../host/view.ts';
import type { Applied, StateType } from './state-type.ts';

export interface ConvergeOptions {
  /** Only says what it would take. */
  readonly dryRun: boolean;
  /** Something that it watches has changed, now or in a run that could not react. */
  readonly notified?: boolean;
  /** Called before the first effect on the host. */
  readonly beforeEffect?: (change: Change | null) => Promise<void>;
  /** Told of a change before anybody may refuse it. */
  readonly intends?: (change: Change) => void;
  /** Told what it wants, each time that this is looked at. */
  readonly sees?: (want: Partial<Attributes> | null) => void;
  /** Called if the reaction fails, or a change that answers the notification in its place. */
  readonly reactionFailed?: () => void;
}

/** What it took, or in a dry run would take, to bring one declared state about. */
export type Convergence =
  | {
      readonly status: 'unchanged';
      /** It was carried out, and there was nothing to do. */
      readonly isFound?: true;
      /** What the type has to say. */
      readonly says?: string;
    }
  | { readonly status: 'unknown'; readonly because: string }
  | {
      readonly status: 'changed' | 'would-change';
      /** `null` if it only reacted. */
      readonly change: Change | null;
      /** What the reaction did; `null` if there was none, `''` if it is only foreseen. */
      readonly reaction: string | null;
      /** What a command of the tree's author printed. */
      readonly printed?: string;
    };

/**
 * Brings one declared state about. A state that changes and is notified also reacts, unless its own
 * change has the effect that the reaction has: it answers the notification then.
 */
export async function converge(
  type: StateType,
  args: unknown,
  host: Host,
  options: ConvergeOptions,
): Promise<Convergence> {
  const { have, change } = await look(type, args, host, options.sees);
  if (type.awaits === true && change !== null)
    return wait(type, args, host, { change, ...options });
  const reacts = options.notified === true && !isAnsweredBy(type, change);
  if (change === null && !reacts) return unchanged(type, args, have);
  const work = { change, reacts, ...options };
  await refuse(type, args, host, work);
  return bringAbout(type, args, host, work);
}

/** Whatever cannot be done as the host is. */
async function refuse(
  type: StateType,
  args: unknown,
  host: Host,
  { change, reacts, intends }: Work,
): Promise<void> {
  const view = viewOf(host);
  if (change !== null) {
    intends?.(change);
    await type.refuses?.(change, args, view);
  }
  if (reacts) await type.refusesReaction?.(args, view);
}

function unchanged(type: StateType, args: unknown, have: Attributes | null): Convergence {
  const says = type.says?.(args, have) ?? '';
  return { status: 'unchanged', ...(says === '' ? {} : { says }) };
}

interface Work extends ConvergeOptions {
  readonly change: Change | null;
  readonly reacts: boolean;
}

async function bringAbout(
  type: StateType,
  args: unknown,
  host: Host,
  work: Work,
): Promise<Convergence> {
  const { change, reacts, dryRun, beforeEffect, reactionFailed } = work;
  if (dryRun) return foreseen(type, args, viewOf(host), { change, reacts });
  await beforeEffect?.(change);
  const apply = async (): Promise<Applied> =>
    change === null ? undefined : applyAndVerify(type, args, host, change);
  const applied = await orTell(apply, answersWith(type, work) ? work.reactionFailed : undefined);
  const made = applied === 'unchanged' ? null : change;
  const react = async (): Promise<string | null> => reactAndVerify(type, args, host);
  const reaction = reacts ? await orTell(react, reactionFailed) : null;
  if (made === null && reaction === null) return { status: 'unchanged', isFound: true };
  const printed = typeof applied === 'object' ? applied : {};
  return { status: 'changed', change: made, reaction, ...printed };
}

/** Whether what it watches is brought up by the change, or by nothing if that fails. */
function answersWith(type: StateType, { notified, reacts }: Work): boolean {
  return notified === true && (!reacts || type.bringBack !== undefined);
}

async function orTell<T>(act: () => Promise<T>, failed?: () => void): Promise<T> {
  try {
    return await act();
  } catch (error) {
    failed?.();
    throw error;
  }
}

async function foreseen(
  type: StateType,
  args: unknown,
  host: HostView,
  { change, reacts }: { readonly change: Change | null; readonly reacts: boolean },
): Promise<Convergence> {
  const because = change === null ? null : ((await type.uncertain?.(args, change, host)) ?? null);
  if (because !== null) return { status: 'unknown', because };
  return { status: 'would-change', change, reaction: reacts ? '' : null };
}

async function wait(
  type: StateType,
  args: unknown,
  host: Host,
  { change, dryRun }: { readonly change: Change; readonly dryRun: boolean },
): Promise<Convergence> {
  const because = 'what it waits for is not there yet';
  if (dryRun) return { status: 'unknown', because };
  await applyAndVerify(type, args, host, change);
  return { status: 'unchanged' };
}

/**
 * Whether a notification asks for nothing beyond this change: the type cannot react, or the change
 * has that effect too. What has no wanted state of its own does the same in both cases.
 */
function isAnsweredBy(type: StateType, change: Change | null): boolean {
  if (type.react === undefined) return true;
  if (change === null) return false;
  return type.oneShot === true || type.answers?.(change) === true;
}

/** What differs between how the thing is and how it should be; `null` if nothing does. */
export async function compare(
  type: StateType,
  args: unknown,
  host: Host,
  sees?: ConvergeOptions['sees'],
): Promise<Change | null> {
  return (await look(type, args, host, sees)).change;
}

async function look(
  type: StateType,
  args: unknown,
  host: Host,
  sees?: ConvergeOptions['sees'],
): Promise<{ readonly have: Attributes | null; readonly change: Change | null }> {
  const view = viewOf(host);
  const [have, want] = await Promise.all([type.read(args, view), type.want(args, view)]);
  sees?.(want);
  return { have, change: diff(have, want) };
}

/** Brings something up on old files that are back; its own change has put back what it is itself by then. */
export async function bringUpOld(type: StateType, args: unknown, host: Host): Promise<void> {
  await acting(type, host, async () => type.bringBack?.(args, host));
}

/** Answers a notification, and makes sure that the state still holds. Says what was done; `null` if nothing was to do. */
export async function reactAndVerify(
  type: StateType,
  args: unknown,
  host: Host,
): Promise<string | null> {
  if (type.react === undefined) return '';
  const reaction = await acting(type, host, async () => type.react?.(args, host));
  await verify(type, args, host);
  return reaction === 'unchanged' ? null : (reaction ?? '');
}

/** What a command of the tree's author changes, nobody can know: all that was shared is read anew. */
async function acting<T>(type: StateType, host: Host, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    if (type.oneShot === true) host.changed('everything');
  }
}

async function applyAndVerify(
  type: StateType,
  args: unknown,
  host: Host,
  change: Change,
): Promise<Applied> {
  const applied = await acting(type, host, async () => type.apply(change, args, host));
  await verify(type, args, host);
  return applied;
}

async function verify(type: StateType, args: unknown, host: Host): Promise<void> {
  if (type.oneShot === true) return;
  const left = await compare(type, args, host);
  if (left === null) return;
  throw new ConductorError(
    'STATE_NOT_CONVERGED',
    `Cannot converge ${type.name}: the host still differs in ${differingIn(left)}`,
    { left },
  );
}

function differingIn(change: Change): string {
  if (change.action === 'create') return 'that the thing does not exist';
  if (change.action === 'remove') return 'that the thing still exists';
  return Object.keys(change.to)
    .map((name) => `"${name}"`)
    .join(', ');
}
