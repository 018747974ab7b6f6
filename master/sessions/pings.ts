import type { Session } from './presence.ts';

export interface Ping {
  readonly minion: string;
  /** The way there and back; `null` if no answer came in time. */
  readonly milliseconds: number | null;
}

/** Questions to minions that only their agent can answer, and the answers. */
export interface Pings {
  ask(session: Session, timeoutMs: number): Promise<Ping>;
  answered(minion: string, request: number): void;
}

export function createPings(now: () => number): Pings {
  const waiting = new Map<string, () => void>();
  let requests = 0;
  return {
    ask(session, timeoutMs) {
      const { minion } = session;
      requests += 1;
      const request = requests;
      const key = `${minion} ${request}`;
      const begun = now();
      return new Promise((resolve) => {
        const end = (milliseconds: number | null) => {
          clearTimeout(late);
          waiting.delete(key);
          resolve({ minion, milliseconds });
        };
        const late = setTimeout(() => end(null), timeoutMs);
        waiting.set(key, () => end(Math.round((now() - begun) * 10) / 10));
        session.send({ type: 'ping', request });
      });
    },
    answered(minion, request) {
      waiting.get(`${minion} ${request}`)?.();
    },
  };
}
