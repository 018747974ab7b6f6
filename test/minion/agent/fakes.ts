import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalEntry, Prepared } from '../../../minion/agent-files.ts';
import { createLink } from '../../../minion/agent/link.ts';
import type { Link } from '../../../minion/agent/link.ts';
import type { RunChild, RunEnd, StartChild } from '../../../minion/agent/run-child.ts';
import { writeDurably } from '../../../minion/host/durable-file.ts';
import type { MinionMessage } from '../../../protocol/messages.ts';
import type { Report, RunEvent } from '../../../protocol/report.ts';
import type { RunRequest } from '../../../protocol/run-request.ts';
import { createLogger } from '../../../shared/log.ts';
import { uuidv7 } from '../../../shared/uuid.ts';

export const silentLog = createLogger({ name: 'test', level: 'error', write: () => undefined });

/** A session in which whatever is sent goes to `take`. */
export function linkTo(take: (message: MinionMessage) => void): Link {
  return {
    ...createLink(),
    isConnected: true,
    send: (message) => Promise.resolve(take(message)),
  };
}

export function newStateDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'conductor-agent-'));
}

export const aHash = 'a'.repeat(64);

export const prepared: Prepared = {
  revision: aHash,
  groups: ['appserver'],
  share: 'b'.repeat(64),
  manifest: [],
  pillar: { id: 'c'.repeat(64), value: {}, secrets: [], fingerprintKey: 'd'.repeat(64) },
};

/** Each a millisecond after the one before, as ids of one millisecond have no order. */
let clock = Date.now();

export function journalEntry(change: Partial<JournalEntry> = {}): JournalEntry {
  clock += 1;
  return {
    options: {
      job: uuidv7(clock),
      cause: 'job',
      dryRun: false,
      stateFiles: [],
      params: {},
      timeoutSeconds: 60,
    },
    revision: aHash,
    receivedAt: new Date(clock).toISOString(),
    expiresAt: null,
    starts: 0,
    child: null,
    ...change,
  };
}

export function reportOf(job: string, status: Report['status'] = 'ok'): Report {
  const at = '2026-01-01T00:00:00.000Z';
  const counts = {
    total: 0,
    unchanged: 0,
    changed: 0,
    wouldChange: 0,
    failed: 0,
    skipped: 0,
    unknown: 0,
  };
  return {
    job,
    minion: 'web-01',
    cause: 'job',
    revision: aHash,
    dryRun: false,
    status,
    startedAt: at,
    endedAt: at,
    counts,
    outcomes: [],
    owed: [],
  };
}

/** Stands in for run children: each run waits until the test ends it. */
export interface FakeChildren {
  readonly start: StartChild;
  readonly requests: RunRequest[];
  emit(event: RunEvent): void;
  /** Ends the run that is under way, with a report in the spool or without. */
  end(status: Report['status'] | null, end?: RunEnd): void;
  readonly cancelled: string[];
}

export function fakeChildren({
  pid = null as number | null,
  bornAt = null as string | null,
} = {}): FakeChildren {
  const requests: RunRequest[] = [];
  const cancelled: string[] = [];
  let current: {
    request: RunRequest;
    onEvent: (event: RunEvent) => void;
    resolve: (end: RunEnd) => void;
  } | null = null;
  return {
    requests,
    cancelled,
    start: (request, onEvent): RunChild => {
      requests.push(request);
      const ended = new Promise<RunEnd>((resolve) => {
        current = { request, onEvent, resolve };
      });
      return { pid, bornAt, ended, cancel: () => void cancelled.push(request.options.job) };
    },
    emit: (event) => current?.onEvent(event),
    end: (status, end = { isOverdue: false }) => {
      if (current === null) throw new Error('no run is under way');
      const { request, resolve } = current;
      current = null;
      const { job } = request.options;
      if (status !== null)
        writeDurably(
          join(request.stateDirectory, 'spool', `${job}.json`),
          JSON.stringify(reportOf(job, status)),
        );
      resolve(end);
    },
  };
}
