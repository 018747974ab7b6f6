import type { JobEvent } from '../../protocol/messages.ts';

/** What happens to jobs, for those who follow one while it happens. */
export interface JobEvents {
  publish(job: string, event: JobEvent): void;
  /** Everything published from now on, until `done` or until the signal. */
  follow(job: string, signal: AbortSignal): AsyncIterable<JobEvent>;
}

/** A reader that falls further behind than this misses progress, but never a target's state. */
const BACKLOG = 10_000;

interface Follower {
  readonly backlog: JobEvent[];
  wake: () => void;
}

export function createJobEvents(): JobEvents {
  const followers = new Map<string, Set<Follower>>();

  function start(job: string): Follower {
    const follower: Follower = { backlog: [], wake: () => undefined };
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
      for (const follower of followers.get(job) ?? []) {
        if (event.event === 'run' && follower.backlog.length >= BACKLOG) continue;
        follower.backlog.push(event);
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

async function* read(
  follower: Follower,
  signal: AbortSignal,
  stop: () => void,
): AsyncIterable<JobEvent> {
  try {
    while (!signal.aborted) {
      const event = follower.backlog.shift();
      if (event === undefined) await woken(follower);
      else yield event;
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
