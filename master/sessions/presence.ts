import type { CloseReason } from '../../protocol/channel.ts';
import type { MasterMessage } from '../../protocol/messages.ts';

/** One authenticated minion on the line. */
export interface Session {
  /** From its verified key, never from a message. */
  readonly minion: string;
  /** Of the key when the session began; it is over once the key's generation is another. */
  readonly generation: number;
  readonly address: string;
  readonly connectedAt: string;
  /** Jobs that have been sent in this session. */
  readonly sentJobs: Set<string>;
  /** What it can beyond what every minion can; `null` until it has greeted. */
  capabilities: ReadonlySet<string> | null;
  send(message: MasterMessage): void;
  /** Closes in order, or at once if the other end is gone. May be called again. */
  end(reason: CloseReason): void;
}

export interface Entrance {
  /** The session that this one has displaced. */
  readonly displaced: Session | null;
  /** Displaced again within a minute: two machines may hold one key. */
  readonly isCloneAlarm: boolean;
}

/** Who is on the line, known at once: from connections, never from a timer. */
export interface Presence {
  get(minion: string): Session | null;
  /** By minion. */
  list(): readonly Session[];
  /** For how many milliseconds one has been away that has been here; `null` if it is here, or never was. */
  awayFor(minion: string): number | null;
  enter(session: Session): Entrance;
  /** `false` if another session has taken its place already. */
  leave(session: Session): boolean;
  /** Ends a minion's session, if it has one. */
  end(minion: string, reason: CloseReason): void;
  /** The master ends: tells all of them that it is about to be back. */
  endAll(): void;
  /** Whoever leaves now was there to the master's end. */
  isEnding(): boolean;
}

const CLONE_WINDOW_MS = 60_000;

export function createPresence(now: () => number): Presence {
  const sessions = new Map<string, Session>();
  const displacements = new Map<string, number>();
  const left = new Map<string, number>();
  let isEnding = false;

  function isCloneAlarm(minion: string): boolean {
    const last = displacements.get(minion);
    displacements.set(minion, now());
    return last !== undefined && now() - last < CLONE_WINDOW_MS;
  }

  return {
    get: (minion) => sessions.get(minion) ?? null,
    list: () => [...sessions.values()].toSorted((a, b) => (a.minion < b.minion ? -1 : 1)),
    awayFor(minion) {
      const since = left.get(minion);
      return since === undefined ? null : now() - since;
    },
    enter(session) {
      left.delete(session.minion);
      const displaced = sessions.get(session.minion) ?? null;
      sessions.set(session.minion, session);
      if (displaced === null) return { displaced, isCloneAlarm: false };
      displaced.end('displaced');
      return { displaced, isCloneAlarm: isCloneAlarm(session.minion) };
    },
    leave(session) {
      if (sessions.get(session.minion) !== session) return false;
      left.set(session.minion, now());
      return sessions.delete(session.minion);
    },
    end(minion, reason) {
      sessions.get(minion)?.end(reason);
    },
    endAll() {
      isEnding = true;
      for (const session of sessions.values()) session.end('restarting');
    },
    isEnding: () => isEnding,
  };
}
