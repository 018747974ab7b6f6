import type { JobEvent } from '../../protocol/messages.ts';
import type { RunEvent } from '../../protocol/report.ts';
import { escapeControls } from '../../shared/log.ts';

/** What runs right now, a line for each host. */
export interface LiveHosts {
  target(event: Extract<JobEvent, { event: 'target' }>, now: Date): void;
  run(minion: string, event: RunEvent, now: Date): void;
  /** As many lines as fit, of those that have run longest. */
  lines(now: Date, most: number): string[];
}

interface Host {
  /** When its run began. */
  readonly since: number;
  /** How long such runs take there. */
  readonly usual: number | null;
  doing: string;
  /** When it began what it does. */
  doingSince: number;
}

export function createLiveHosts(): LiveHosts {
  const hosts = new Map<string, Host>();
  return {
    target({ minion, state, since, usualMilliseconds: usual = null }, now) {
      if (state !== 'running') hosts.delete(minion);
      if (state !== 'running' || hosts.has(minion)) return;
      const begun = since === undefined ? now.getTime() : Date.parse(since);
      hosts.set(minion, { since: begun, usual, doing: 'compiling', doingSince: begun });
    },
    run(minion, event, now) {
      const host = hosts.get(minion);
      if (host === undefined || event.event !== 'started') return;
      const { number, total, type, id } = event;
      host.doing = `${number}/${total}  ${type} ${id}`;
      host.doingSince = now.getTime();
    },
    lines(now, most) {
      const shown = [...hosts].slice(0, most).map(([minion, host]) => lineOf(minion, host, now));
      const left = hosts.size - shown.length;
      return left > 0 ? [...shown, `and ${left} more`] : shown;
    },
  };
}

function lineOf(minion: string, { since, usual, doing, doingSince }: Host, now: Date): string {
  const parts = [minion, doing];
  const seconds = secondsOf(now.getTime() - doingSince);
  if (seconds >= 1) parts.push(`${seconds} s`);
  if (usual !== null && usual >= 1_000) parts.push(estimate(usual, now.getTime() - since));
  return escapeControls(parts.join('  '));
}

function estimate(usual: number, spent: number): string {
  if (spent > usual) return `longer than its usual ${secondsOf(usual)} s`;
  return `about ${Math.max(1, secondsOf(usual - spent))} s left`;
}

function secondsOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
