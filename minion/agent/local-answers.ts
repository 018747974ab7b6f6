import type { Pause } from '../../protocol/pause.ts';
import type { RunEvent } from '../../protocol/report.ts';
import { messageOf } from '../../shared/errors.ts';
import { ownCgroup } from '../host/cgroup.ts';
import type { Core } from './core.ts';
import type { LocalRequest } from './local-request.ts';
import type { Caller } from './local-socket.ts';
import type { Intentions } from './session.ts';

export interface LocalAnswersParts {
  readonly core: Core;
  readonly minion: string;
  readonly version: string;
  readonly intentions: () => Intentions;
  /** An agent that waits to connect again waits no longer. */
  readonly reconnect: () => void;
}

/** What the agent's own command line gets to hear. */
export function answerLocally(
  parts: LocalAnswersParts,
  request: LocalRequest,
  caller: Caller,
): void {
  if (request.ask === 'refresh') {
    parts.core.refresh({ watcher: watcherFor(parts, caller) });
    return;
  }
  caller.write(JSON.stringify(answerTo(parts, request)));
  caller.end();
}

function answerTo(
  parts: LocalAnswersParts,
  request: Exclude<LocalRequest, { ask: 'refresh' }>,
): unknown {
  if (request.ask === 'pause') return begun(parts, request);
  if (request.ask === 'resume') return { pause: parts.core.pauses.lift() };
  if (request.ask === 'status') return statusOf(parts);
  parts.reconnect();
  return { isReconnecting: true };
}

function begun(
  { core }: LocalAnswersParts,
  request: Extract<LocalRequest, { ask: 'pause' }>,
): { pause: Pause; before: Pause | null } | { error: string } {
  try {
    const before = core.pauses.current();
    return { pause: core.pauses.begin(request, 'minion'), before };
  } catch (error) {
    core.log.error({ error }, 'Pause could not be kept');
    return { error: messageOf(error) };
  }
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
  /** Who says when: `pillar`, `minion.yaml` or `default`. */
  readonly schedule: string | null;
  readonly paused: Pause | null;
  /** Below which each run has a cgroup of its own, or why it has none and what hides may outlive it. */
  readonly cgroup: string;
}

function statusOf({
  core,
  minion,
  version,
  intentions,
}: Omit<LocalAnswersParts, 'reconnect'>): AgentStatus {
  const { link, runs, spool } = core;
  const { nextRefresh, scheduleSource = null, pause = null } = intentions();
  return {
    minion,
    version,
    isConnected: link.isConnected,
    running: runs.running?.options.job ?? null,
    waiting: runs.waiting.map(({ options }) => options.job),
    spooled: spool.jobs().length,
    nextRefresh,
    schedule: scheduleSource,
    paused: pause,
    cgroup: cgroupWords(),
  };
}

function cgroupWords(): string {
  const own = ownCgroup();
  return 'directory' in own ? own.directory : `none (${own.why})`;
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
