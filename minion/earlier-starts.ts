import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { outcomeSchema } from '../protocol/report.ts';
import type { Outcome } from '../protocol/report.ts';
import { makeDirectoryOf, readOwnBytes } from './host/durable-file.ts';
import { fileError } from './host/file-error.ts';

/**
 * What the run under way has changed so far (`done.jsonl`): its process may be killed and the run started again, and
 * its report has to tell of all of it. Survives the process, and usually the host.
 */
export interface Done {
  /** What earlier starts of this run have changed. */
  readonly earlier: readonly Outcome[];
  /** What an earlier start of this run was killed in, and when it had begun with it; by key. */
  readonly unfinished: ReadonlyMap<string, string>;
  /** That a state is about to act. Throws if it cannot be written down. */
  begin(key: string): void;
  /** Throws if it cannot be written down. */
  note(outcome: Outcome): void;
}

/** Opens it for one run; what other runs have left goes with the first change. */
export function openDone(stateDirectory: string, job: string): Done {
  const path = pathIn(stateDirectory);
  const lines = linesOf(stateDirectory, job);
  const begun = new Set<string>();
  let isOurs = lines.length > 0;
  const write = (line: Line): void => {
    try {
      makeDirectoryOf(path);
      if (!isOurs) rmSync(path, { force: true, recursive: true });
      isOurs = true;
      // Behind a line that was cut off begins another one.
      appendFileSync(path, `\n${JSON.stringify({ job, ...line })}\n`, { mode: 0o600 });
    } catch (error) {
      throw fileError('write', path, error);
    }
  };
  return {
    earlier: changedIn(lines),
    unfinished: unfinishedIn(lines),
    begin(key) {
      begun.add(key);
      write({ began: key, at: new Date().toISOString() });
    },
    note(outcome) {
      const wasBegun = begun.delete(outcome.key);
      if (outcome.status === 'changed') write({ outcome });
      else if (wasBegun) write({ ended: outcome.key });
    },
  };
}

/** What earlier starts of a run have changed; a line that was cut off or damaged tells nothing. */
export function changedBefore(stateDirectory: string, job: string): readonly Outcome[] {
  return changedIn(linesOf(stateDirectory, job));
}

const lineSchema = z.union([
  z.object({ outcome: outcomeSchema }),
  z.object({ began: z.string(), at: z.iso.datetime() }),
  z.object({ ended: z.string() }),
]);

type Line = z.infer<typeof lineSchema>;

function changedIn(lines: readonly Line[]): readonly Outcome[] {
  return lines.flatMap((line) => ('outcome' in line ? [line.outcome] : []));
}

function unfinishedIn(lines: readonly Line[]): ReadonlyMap<string, string> {
  const unfinished = new Map<string, string>();
  for (const line of lines) {
    if ('began' in line) unfinished.set(line.began, line.at);
    else unfinished.delete('ended' in line ? line.ended : line.outcome.key);
  }
  return unfinished;
}

function linesOf(stateDirectory: string, job: string): readonly Line[] {
  const read = readOwnBytes(pathIn(stateDirectory));
  if (read.status !== 'ok') return [];
  return read.value
    .toString('utf8')
    .split('\n')
    .flatMap((line) => lineIn(line, job));
}

function lineIn(text: string, job: string): readonly Line[] {
  try {
    const parsed: { job?: unknown } = JSON.parse(text);
    return parsed.job === job ? [lineSchema.parse(parsed)] : [];
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
