import type { ExecutionContext } from 'ava';
import { createJobs } from '../../../master/jobs/jobs.ts';
import { ALL_AT_ONCE, type Rollout } from '../../../master/jobs/rollout.ts';
import { createPresence, type Session } from '../../../master/sessions/presence.ts';
import { openSqliteStore } from '../../../master/store/sqlite/sqlite-store.ts';
import { createLogger } from '../../../shared/log.ts';

const log = createLogger({ name: 'test', level: 'error', write: () => undefined });
export const MINUTE = 60_000;

/** Jobs on a store of their own, with a clock that only the test moves, and minions that do nothing by themselves. */
export async function quietWorld(t: ExecutionContext) {
  const store = await openSqliteStore(':memory:');
  t.teardown(() => store.close());
  const clock = { at: Date.parse('2026-05-05T12:00:00.000Z'), elapsed: 0 };
  const now = () => new Date(clock.at);
  const elapsed = () => clock.elapsed;
  const presence = createPresence(elapsed);
  const jobs = createJobs({ store, presence, log, now, elapsed, newest: () => null });
  const sent: string[] = [];

  async function arrive(minion: string): Promise<Session> {
    const session: Session = {
      minion,
      generation: 1,
      address: '10.0.0.1',
      connectedAt: now().toISOString(),
      sentJobs: new Set(),
      capabilities: new Set(),
      send: ({ type }) => void (type === 'job' && sent.push(minion)),
      end: () => undefined,
    };
    presence.enter(session);
    await store.minions.note(minion, { seenAt: session.connectedAt, isConnected: true });
    return session;
  }

  async function goAway(session: Session): Promise<void> {
    presence.leave(session);
    await store.minions.note(session.minion, {
      seenAt: now().toISOString(),
      isConnected: false,
    });
    await jobs.disconnected(session.minion);
  }

  async function begin(minions: readonly string[], rollout: Partial<Rollout>, by = jobs) {
    const what = { target: '*', stateFiles: [], params: {}, dryRun: false, timeoutSeconds: 3600 };
    const job = await by.create({
      ...what,
      minions,
      revision: 'a'.repeat(64),
      rollout: { ...ALL_AT_ONCE, ...rollout },
      retryOf: null,
    });
    await by.deliver(job);
    return job;
  }

  async function pass(milliseconds: number): Promise<void> {
    clock.at += milliseconds;
    clock.elapsed += milliseconds;
    await jobs.tick();
  }

  /** Somebody sets the clock of the master's machine. */
  async function setClock(milliseconds: number): Promise<void> {
    clock.at += milliseconds;
    await jobs.tick();
  }

  /** Another master begins on the same store, and nobody has come to it yet. */
  function startAnew() {
    const others = createPresence(elapsed);
    return createJobs({ store, presence: others, log, now, elapsed, newest: () => null });
  }

  for (const id of ['m1', 'm2', 'm3']) await store.minions.add(minionRow(id, now()));
  return { store, jobs, log, now, sent, arrive, goAway, begin, pass, setClock, startAnew };
}

function minionRow(id: string, now: Date) {
  const at = now.toISOString();
  const unknown = { address: null, seenAt: null, version: null, nextRefresh: null } as const;
  const accepted = { state: 'accepted', acceptedAt: at, acceptedBy: 'test' } as const;
  return { id, publicKey: id, generation: 1, groups: [], createdAt: at, ...accepted, ...unknown };
}
