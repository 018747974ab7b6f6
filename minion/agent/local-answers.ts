import type { RunEvent } from '../../protocol/report.ts';
import type { Core } from './core.ts';
import type { Caller, LocalRequest } from './local-socket.ts';

export interface LocalAnswersParts {
  readonly core: Core;
  readonly minion: string;
  readonly version: string;
  readonly nextRefresh: () => Date | null;
  /** An agent that waits to connect again waits no longer. */
  readonly reconnect: () => void;
}

/** What the agent's own command line gets to hear. */
export function answerLocally(
  parts: LocalAnswersParts,
  request: LocalRequest,
  caller: Caller,
): void {
  if (request === 'refresh') {
    parts.core.refresh(watcherFor(parts, caller));
    return;
  }
  if (request === 'reconnect') {
    parts.reconnect();
    caller.write(JSON.stringify({ isReconnecting: true }));
  } else caller.write(JSON.stringify(statusOf(parts)));
  caller.end();
}

export interface AgentStatus {
  readonly minion: string;
  readonly version: string;
  readonly isConnected: boolean;
  readonly running: string | null;
  readonly waiting: readonly string[];
  /** Reports that the master does not have yet. */
  readonly spooled: number;
  readonly nextRefresh: string | null;
}

function statusOf({
  core,
  minion,
  version,
  nextRefresh,
}: Omit<LocalAnswersParts, 'reconnect'>): AgentStatus {
  const { link, runs, spool } = core;
  return {
    minion,
    version,
    isConnected: link.isConnected,
    running: runs.running?.options.job ?? null,
    waiting: runs.waiting.map(({ options }) => options.job),
    spooled: spool.jobs().length,
    nextRefresh: nextRefresh()?.toISOString() ?? null,
  };
}

/** Passes a run's events to one caller as lines, and its report, which is in the spool by then, last. */
function watcherFor(
  { core: { spool } }: Pick<LocalAnswersParts, 'core'>,
  caller: Pick<Caller, 'write' | 'end'>,
) {
  return {
    event: (event: RunEvent): void => caller.write(JSON.stringify(event)),
    end: (job: string): void => {
      const report = spool.get(job);
      if (report !== null) caller.write(JSON.stringify({ event: 'report', report }));
      caller.end();
    },
  };
}
