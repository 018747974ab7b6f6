import type { JobEvent } from '../../protocol/messages.ts';

/** What happens to jobs, for those who follow one while it happens. */
export interface JobEvents {
  publish(job: string, event: JobEvent): void;
  /** Everything published from now on, until `done` or until the signal. */
  follow(job: string, signal: AbortSignal): AsyncIterable<JobEvent>;
}

/** A reader that falls further behind than this misses progress, but never a target's state. */
const BACKLOG = { events: 10_000, characters: 8 * 1024 * 1024 };

interface Follower {
  readonly backlog: JobEvent[];
  /** Of all progress in the backlog, as JSON. */
  characters: number;
  wake: () => void;
}

export function createJobEvents(): JobEvents {
  const followers = new Map<string, Set<Follower>>();

  function start(job: string): Follower {
    const follower: Follower = { backlog: [], characters: 0, wake: () => undefined };
    const all = followers.get(job) ?? new Set();
    followers.set(job, all.add(follower));
    return follower;
  }

  function stop(job: string, follower: Follower): void {
    const all = followers.get(job);
    all?.delete(follower);
    if (all?.size === 0) followers.delete(job);
  }

  return {
    publish(job, event) {
      const all = followers.get(job);
      if (all === undefined) return;
      const size = sizeOf(event);
      for (const follower of all) {
        if (size > 0 && isBehind(follower, size)) continue;
        follower.backlog.push(event);
        follower.characters += size;
        follower.wake();
      }
    },
    follow(job, signal) {
      const follower = start(job);
      const stopped = () => {
        stop(job, follower);
        follower.wake();
      };
      signal.addEventListener('abort', stopped, { once: true });
      return read(follower, signal, stopped);
    },
  };
}

/** Only progress counts. */
function sizeOf(event: JobEvent): number {
  return event.event === 'run' ? JSON.stringify(event).length : 0;
}

function isBehind({ backlog, characters }: Follower, size: number): boolean {
  return backlog.length >= BACKLOG.events || characters + size > BACKLOG.characters;
}

async function* read(
  follower: Follower,
  signal: AbortSignal,
  stop: () => void,
): AsyncIterable<JobEvent> {
  try {
    while (!signal.aborted) {
      const event = follower.backlog.shift();
      if (event === undefined) await woken(follower);
      else {
        follower.characters -= sizeOf(event);
        yield event;
      }
      if (event?.event === 'done') return;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function woken(follower: Follower): Promise<void> {
  return new Promise((resolve) => {
    follower.wake = resolve;
  });
}
