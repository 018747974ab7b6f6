import { LARGEST_REPORT } from '../protocol/report.ts';
import type { Outcome, Report } from '../protocol/report.ts';
import { beginningOf } from '../shared/excerpt.ts';

/**
 * The report as a master takes it. Of one that is too large the least needed is left out, and it says what: first
 * texts, then all details, at last whole outcomes, those of what went well first. It still counts all of them.
 */
export function fitReport(report: Report, mostBytes = LARGEST_REPORT): Report {
  if (sizeOf(report) <= mostBytes) return report;
  const { outcomes } = report;
  const shorter = { ...report, outcomes: outcomes.map(withoutTexts) };
  const fitting = saying(shorter, 'differences and outputs');
  if (sizeOf(fitting) <= mostBytes) return fitting;
  const bare = saying({ ...report, outcomes: outcomes.map(withoutDetails) }, 'all details');
  return sizeOf(bare) <= mostBytes ? bare : withFewer(bare, mostBytes);
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function saying(report: Report, what: string): Report {
  return { ...report, shortened: `the report was too large: ${what} are left out` };
}

function withoutTexts(outcome: Outcome): Outcome {
  const { diff, output, error, ...rest } = outcome;
  return error === undefined ? rest : { ...rest, error: withoutOutput(error) };
}

function withoutOutput({ code, message }: NonNullable<Outcome['error']>) {
  return { code, message };
}

const LONGEST = 500;

function withoutDetails(outcome: Outcome): Outcome {
  const { change, before, reaction, because, ...rest } = withoutTexts(outcome);
  const { name, error } = rest;
  return {
    ...rest,
    name: beginningOf(name, LONGEST),
    ...(reaction === undefined ? {} : { reaction: beginningOf(reaction, LONGEST) }),
    ...(because === undefined ? {} : { because: beginningOf(because, LONGEST) }),
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: beginningOf(error.message, LONGEST) } }),
  };
}

/** From what is looked for first. */
const ORDER: readonly Outcome['status'][] = [
  'failed',
  'changed',
  'would-change',
  'unknown',
  'skipped',
  'unchanged',
];

function withFewer(report: Report, mostBytes: number): Report {
  const { outcomes } = report;
  const left = (count: number): Report => saying(report, `all details, and ${count} outcomes,`);
  let room = mostBytes - sizeOf({ ...left(outcomes.length), outcomes: [] });
  const kept = new Set<Outcome>();
  for (const outcome of outcomes.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const size = sizeOf(outcome) + 1;
    if (size > room) continue;
    kept.add(outcome);
    room -= size;
  }
  const told = outcomes.filter((outcome) => kept.has(outcome));
  return { ...left(outcomes.length - told.length), outcomes: told };
}

function rankOf({ status }: Outcome): number {
  return ORDER.indexOf(status);
}
