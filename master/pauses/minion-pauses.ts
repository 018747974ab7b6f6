import { EventEmitter, once } from 'node:events';
import type { MasterMessage } from '../../protocol/messages.ts';
import { LONGEST_PAUSE_SECONDS } from '../../protocol/pause.ts';
import type { Pause, PauseRequest } from '../../protocol/pause.ts';
import type { Presence, Session } from '../sessions/presence.ts';
import type { Intention, OwedPause } from '../store/intention-store.ts';
import type { Store } from '../store/store.ts';

/** What came of asking one minion. */
export interface PauseResult {
  readonly id: string;
  /** `done` once it has said so; what the others have not heard they are told when they come back. */
  readonly state: 'done' | 'silent' | 'offline' | 'too-old';
  /** The pause that there was before; `null` if there was none. */
  readonly before: { readonly until: string; readonly why: string } | null;
}

/** Pauses of minions, as operators ask for them. */
export interface MinionPauses {
  pause(minions: readonly string[], request: PauseRequest): Promise<readonly PauseResult[]>;
  resume(minions: readonly string[]): Promise<readonly PauseResult[]>;
  /** A minion says what it intends; `isHello`: it has just come. */
  heard(session: Session, news: News): Promise<void>;
}

export interface News {
  /** `undefined` if it does not say. */
  readonly pause?: Pause | null | undefined;
  readonly scheduleSource?: string | undefined;
  readonly isHello: boolean;
}

export interface MinionPausesParts {
  readonly store: Store;
  readonly presence: Presence;
  readonly now: () => Date;
  /** How long a minion may take to confirm. */
  readonly patienceMs?: number;
}

const PAUSE_CAPABILITY = 'pause';

export function createMinionPauses(parts: MinionPausesParts): MinionPauses {
  const confirmed = new EventEmitter();
  confirmed.setMaxListeners(0);
  const asking = { ...parts, confirmed, told: new WeakMap<Session, number>() };
  const all = (minions: readonly string[], owed: OwedPause) =>
    Promise.all(minions.map((id) => ask(asking, id, owed)));
  return {
    pause: (minions, { seconds, why }) => {
      const since = parts.now();
      const until = new Date(since.getTime() + seconds * 1000).toISOString();
      return all(minions, { kind: 'pause', since: since.toISOString(), until, why });
    },
    resume: (minions) => all(minions, { kind: 'resume' }),
    heard: (session, news) => heard(asking, session, news),
  };
}

interface Asking extends MinionPausesParts {
  /** A minion's id, when it has done as it was asked. */
  readonly confirmed: EventEmitter;
  /** For how many seconds each session was last told to pause. */
  readonly told: WeakMap<Session, number>;
}

const PATIENCE_MS = 5_000;

/** On disk first: a minion that does not hear it now is told when it comes back. */
async function ask(parts: Asking, id: string, owed: OwedPause): Promise<PauseResult> {
  const { store, now } = parts;
  const known = await store.intentions.get(id);
  const paused = known === null ? null : pauseOf(known, now());
  const before = paused === null ? null : { until: paused.until, why: paused.why };
  await store.intentions.note(id, { owed });
  return { id, before, state: await confirmedBy(parts, id, owed) };
}

async function confirmedBy(
  parts: Asking,
  id: string,
  owed: OwedPause,
): Promise<PauseResult['state']> {
  const { presence, confirmed, patienceMs = PATIENCE_MS } = parts;
  const session = presence.get(id);
  if (session === null) return 'offline';
  // One that has not greeted yet is told when it does.
  if (session.capabilities === null) return 'silent';
  if (!session.capabilities.has(PAUSE_CAPABILITY)) return 'too-old';
  const patience = AbortSignal.timeout(patienceMs);
  const confirmation = once(confirmed, id, { signal: patience });
  tell(parts, session, owed);
  try {
    await confirmation;
    return 'done';
  } catch (error) {
    if (patience.aborted) return 'silent';
    throw error;
  }
}

function tell({ now, told }: Asking, session: Session, owed: OwedPause): void {
  const message = messageOf(owed, now());
  if (message.type === 'pause') told.set(session, message.seconds);
  session.send(message);
}

function messageOf(owed: OwedPause, now: Date): MasterMessage {
  if (owed.kind === 'resume') return { type: 'resume' };
  const left = Date.parse(owed.until) - now.getTime();
  return { type: 'pause', seconds: Math.max(1, Math.ceil(left / 1000)), why: owed.why };
}

async function heard(parts: Asking, session: Session, news: News): Promise<void> {
  const { store, confirmed, now } = parts;
  const { minion } = session;
  const owed = (await store.intentions.get(minion))?.owed ?? null;
  const isSettled = (it: OwedPause): boolean =>
    isDone(parts, session, { owed: it, pause: news.pause }) || isOver(it, now());
  const settled = owed !== null && isSettled(owed) ? owed : null;
  const [, hasSettled] = await Promise.all([
    store.intentions.note(minion, noted(news, now())),
    settled !== null && store.intentions.settle(minion, settled),
  ]);
  // An operator may have asked for something else meanwhile, which nobody has confirmed.
  if (hasSettled) confirmed.emit(minion);
  else if (owed !== null && settled === null && news.isHello) tellIfAble(parts, session, owed);
}

function noted({ pause, scheduleSource }: News, now: Date): Partial<Intention> {
  return {
    ...(pause === undefined ? {} : { pause: pause === null ? null : bounded(pause, now) }),
    ...(scheduleSource === undefined ? {} : { scheduleSource }),
  };
}

/** Nobody can ask a minion for a longer pause, so none is believed to have one. */
function bounded(pause: Pause, now: Date): Pause {
  const longest = now.getTime() + LONGEST_PAUSE_SECONDS * 1000;
  return Date.parse(pause.until) <= longest
    ? pause
    : { ...pause, until: new Date(longest).toISOString() };
}

function tellIfAble(parts: Asking, session: Session, owed: OwedPause): void {
  if (session.capabilities?.has(PAUSE_CAPABILITY) === true) tell(parts, session, owed);
}

/** An earlier pause may have had the same reason; its length is another, or nobody has told this session of it. */
function isDone(
  { told }: Asking,
  session: Session,
  { owed, pause }: { readonly owed: OwedPause; readonly pause: News['pause'] },
): boolean {
  if (owed.kind === 'resume') return pause === null;
  if (pause?.by !== 'master' || pause.why !== owed.why) return false;
  const seconds = (Date.parse(pause.until) - Date.parse(pause.since)) / 1000;
  return Math.round(seconds) === told.get(session);
}

function isOver(owed: OwedPause, now: Date): boolean {
  return owed.kind === 'pause' && Date.parse(owed.until) <= now.getTime();
}

/** What holds a minion back now, or will as soon as it is there. */
export function pauseOf(
  { pause, owed }: Pick<Intention, 'pause' | 'owed'>,
  now: Date,
): { readonly until: string; readonly why: string; readonly isConfirmed: boolean } | null {
  if (owed?.kind === 'pause' && !isOver(owed, now))
    return { until: owed.until, why: owed.why, isConfirmed: false };
  if (pause === null || Date.parse(pause.until) <= now.getTime()) return null;
  return { until: pause.until, why: pause.why, isConfirmed: true };
}
