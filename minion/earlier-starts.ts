import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { outcomeSchema } from '../protocol/report.ts';
import type { Outcome } from '../protocol/report.ts';
import { makeOwnDirectory, readOwnBytes } from './host/durable-file.ts';
import { fileError } from './host/file-error.ts';

/**
 * What the run under way has changed so far (`done.jsonl`): its process may be killed and the run started again, and
 * its report has to tell of all of it. Survives the process, and usually the host.
 */
export interface Done {
  /** What earlier starts of this run have changed. */
  readonly earlier: readonly Outcome[];
  /** Throws if it cannot be written down. */
  note(outcome: Outcome): void;
}

/** Opens it for one run; what other runs have left goes with the first change. */
export function openDone(stateDirectory: string, job: string): Done {
  const path = pathIn(stateDirectory);
  const earlier = changedBefore(stateDirectory, job);
  let isOurs = earlier.length > 0;
  return {
    earlier,
    note(outcome) {
      if (outcome.status !== 'changed') return;
      try {
        makeOwnDirectory(stateDirectory);
        if (!isOurs) rmSync(path, { force: true, recursive: true });
        isOurs = true;
        // Behind a line that was cut off begins another one.
        appendFileSync(path, `\n${JSON.stringify({ job, outcome })}\n`, { mode: 0o600 });
      } catch (error) {
        throw fileError('write', path, error);
      }
    },
  };
}

/** What earlier starts of a run have changed; a line that was cut off or damaged tells nothing. */
export function changedBefore(stateDirectory: string, job: string): readonly Outcome[] {
  const read = readOwnBytes(pathIn(stateDirectory));
  if (read.status !== 'ok') return [];
  return read.value
    .toString('utf8')
    .split('\n')
    .flatMap((line) => outcomeIn(line, job));
}

function outcomeIn(line: string, job: string): readonly Outcome[] {
  try {
    const parsed: { job?: unknown; outcome?: unknown } = JSON.parse(line);
    return parsed.job === job ? [outcomeSchema.parse(parsed.outcome)] : [];
  } catch {
    return [];
  }
}

/** The outcomes of a run's last start, in which what an earlier one has changed is no less changed. */
export function withEarlier(
  last: readonly Outcome[],
  earlier: readonly Outcome[],
): readonly Outcome[] {
  const changed = new Map(earlier.map((outcome) => [outcome.key, outcome]));
  const merged = last.map((outcome) =>
    outcome.status === 'unchanged' || outcome.status === 'skipped'
      ? (changed.get(outcome.key) ?? outcome)
      : outcome,
  );
  const known = new Set(last.map(({ key }) => key));
  return [...merged, ...[...changed.values()].filter(({ key }) => !known.has(key))];
}

function pathIn(stateDirectory: string): string {
  return join(stateDirectory, 'done.jsonl');
}
