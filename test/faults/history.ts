/**
 * What has happened to jobs, merged from the master's log and store and from the minions' logs, and what must hold of it
 * whatever was killed in between.
 */

/** One thing that somebody has written down. */
export type Happening =
  | { readonly what: 'issued'; readonly job: string; readonly minion: string }
  /** By the minion: how often by now. */
  | {
      readonly what: 'started';
      readonly job: string;
      readonly minion: string;
      readonly start: number;
    }
  /** By the run itself, when its report is in the spool. */
  | {
      readonly what: 'ended';
      readonly job: string;
      readonly minion: string;
      readonly status: string;
    }
  /** By the master, in its log, when the row is committed. */
  | { readonly what: 'committed'; readonly job: string; readonly minion: string }
  /** In the master's store, at the end of it all. */
  | {
      readonly what: 'state';
      readonly job: string;
      readonly minion: string;
      readonly state: string;
    }
  /** A report that the master holds. */
  | {
      readonly what: 'report';
      readonly job: string;
      readonly minion: string;
      readonly status: string;
    }
  /** Left on the minion's disk. */
  | {
      readonly what: 'left';
      readonly job: string;
      readonly minion: string;
      readonly where: string;
    };

const ENDS: ReadonlySet<string> = new Set(
  'ok changed failed timeout cancelled expired unreachable interrupted'.split(' '),
);
/** These a master may infer by itself, of a run that never began or of which nobody knows. */
const WITHOUT_REPORT: ReadonlySet<string> = new Set(
  'cancelled expired unreachable interrupted'.split(' '),
);
/** After so many starts without a report a run is told to be interrupted. */
const MOST_STARTS = 3;

/** What was lost or done twice, in words; nothing if every promise was kept. */
export function judgeHistory(history: readonly Happening[]): string[] {
  const byTarget = new Map<string, Happening[]>();
  for (const happening of history) {
    const target = `${happening.job} on ${happening.minion}`;
    byTarget.set(target, [...(byTarget.get(target) ?? []), happening]);
  }
  return [...byTarget].flatMap(([target, happenings]) => judgeTarget(target, happenings));
}

function judgeTarget(target: string, happenings: readonly Happening[]): string[] {
  const of = <What extends Happening['what']>(what: What) =>
    happenings.filter((one): one is Extract<Happening, { what: What }> => one.what === what);
  const states = of('state').map(({ state }) => state);
  const reports = of('report').map(({ status }) => status);
  const [state = 'nothing'] = states;
  const wasIssued = of('issued').length > 0;
  const complaints = [
    ...(wasIssued ? judgeEnd(states, reports) : []),
    ...(of('committed').length > 1
      ? [`its report was stored ${of('committed').length} times`]
      : []),
    ...judgeStarts(
      of('started').map(({ start }) => start),
      of('ended').length,
    ),
    ...judgeRuns(
      of('ended').map(({ status }) => status),
      { state, reports, wasIssued },
    ),
    ...of('left').map(({ where }) => `it is still in ${where}`),
  ];
  return complaints.map((complaint) => `job ${target}: ${complaint}`);
}

/** One end, and the report that it needs. */
function judgeEnd(states: readonly string[], reports: readonly string[]): string[] {
  const [state = 'nothing'] = states;
  if (states.length !== 1) return [`it has ${states.length} states (${states.join(', ')})`];
  if (!ENDS.has(state)) return [`it has not ended: it is ${state}`];
  if (reports.length > 1) return [`it has ${reports.length} reports`];
  const [report = null] = reports;
  if (report === null) return WITHOUT_REPORT.has(state) ? [] : [`it is ${state} without a report`];
  return report === state ? [] : [`it is ${state}, and its report says ${report}`];
}

/** No start is told twice (one that was killed before it was told is not told at all), and there are not too many. */
function judgeStarts(starts: readonly number[], ends: number): string[] {
  const inOrder = starts.every((start, index) => index === 0 || start > (starts[index - 1] ?? 0));
  return [
    ...(inOrder ? [] : [`its starts are ${starts.join(', ')}`]),
    ...starts
      .filter((start) => start > MOST_STARTS)
      .map((start) => `it was started ${start} times`),
    ...(ends > 1 ? [`it has ended ${ends} times`] : []),
  ];
}

/** A run that has ended by itself is what the master says of it. */
function judgeRuns(
  ends: readonly string[],
  known: { state: string; reports: readonly string[]; wasIssued: boolean },
): string[] {
  const [end] = ends;
  if (end === undefined) return [];
  if (known.reports.length === 0) return [`its run ended ${end}, and its report is lost`];
  if (known.wasIssued && known.state !== end)
    return [`its run ended ${end}, and the master says ${known.state}`];
  return [];
}
