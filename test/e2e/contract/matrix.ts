import { secretNamesOf } from '../../../language/states/secret-names.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { CLAUSES, LETTERS, isRefusal } from './case.ts';
import type { Clause, NamedCase } from './case.ts';
import type { Finding } from './finding.ts';

/** The matrix of types by clauses: what was found, and what of it is still unexplained. */

export type Cell =
  | { readonly is: 'kept' }
  | { readonly is: 'broken'; readonly why: readonly string[] }
  | { readonly is: 'explained'; readonly why: string }
  | { readonly is: 'empty' };

export interface Row {
  readonly type: string;
  readonly cases: number;
  readonly cells: ReadonlyMap<Clause, Cell>;
  /** What went wrong, a line for each case and clause. */
  readonly complaints: readonly string[];
  readonly counts: { readonly passed: number; readonly failed: number; readonly skipped: number };
  readonly milliseconds: number;
}

/** Judges one type by what was found in all its cases. */
export function rowOf(
  type: StateType,
  cases: readonly NamedCase[],
  findings: readonly Finding[],
): Row {
  const about: About = { type, cases, findings, lacking: lackingIn(findings) };
  const cells = new Map(LETTERS.map((clause) => [clause, cellOf(clause, about)] as const));
  const gaps = [...cells].flatMap(([clause, cell]) => gapIn(type.name, clause, cell));
  const failed = cases.filter(({ name }) => complaintsAbout(name, findings).length > 0);
  const untold = cases.filter(({ name }) => !hasEnded(name, findings));
  const told = [
    ...cases.flatMap(({ name }) => complaintsAbout(name, findings)),
    ...untold.map(({ name }) => `${name}: it never came to an end`),
  ];
  // What a case that broke down did not come to is no gap in the cases.
  const complaints = [...told, ...(told.length > 0 ? [] : gaps)];
  const broken = failed.length + untold.length + (gaps.length > 0 ? 1 : 0);
  const skipped = about.lacking.size;
  return {
    type: type.name,
    cases: cases.length,
    cells,
    complaints,
    counts: {
      passed: cases.length - failed.length - untold.length - skipped,
      failed: broken,
      skipped,
    },
    milliseconds: findings.reduce(
      (sum, finding) => sum + (finding.event === 'ended' ? finding.milliseconds : 0),
      0,
    ),
  };
}

interface About {
  readonly type: StateType;
  readonly cases: readonly NamedCase[];
  readonly findings: readonly Finding[];
  /** By case, what the host lacks for it. */
  readonly lacking: ReadonlyMap<string, string>;
}

function lackingIn(findings: readonly Finding[]): ReadonlyMap<string, string> {
  return new Map(
    findings.flatMap((finding) =>
      finding.event === 'lacks' ? [[finding.name, finding.feature] as const] : [],
    ),
  );
}

function hasEnded(name: string, findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.event === 'ended' && finding.name === name);
}

function complaintsAbout(name: string, findings: readonly Finding[]): readonly string[] {
  return findings.flatMap((finding) =>
    finding.event === 'clause' && finding.name === name && finding.why !== null
      ? [`${name} (${finding.clause}): ${finding.why}`]
      : [],
  );
}

function cellOf(clause: Clause, about: About): Cell {
  const found = about.findings.flatMap((finding) =>
    finding.event === 'clause' && finding.clause === clause ? [finding] : [],
  );
  const broken = found.flatMap(({ why, name }) => (why === null ? [] : [`${name}: ${why}`]));
  const uncovered = clause === 'd' ? undisturbedIn(about.findings) : [];
  const why = explanationOf(clause, about);
  if (broken.length > 0) return { is: 'broken', why: broken };
  if (uncovered.length > 0 && why === null)
    return { is: 'broken', why: [`nobody disturbs ${uncovered.join(', ')}`] };
  if (found.length > 0) return { is: 'kept' };
  return why === null ? { is: 'empty' } : { is: 'explained', why };
}

type Wants = Extract<Finding, { event: 'wants' }>;

function wantsIn(findings: readonly Finding[]): readonly Wants[] {
  return findings.flatMap((finding) => (finding.event === 'wants' ? [finding] : []));
}

/** Wanted attributes that no case disturbs or says why it cannot. */
function undisturbedIn(findings: readonly Finding[]): readonly string[] {
  const wants = wantsIn(findings).filter(({ isChange }) => isChange);
  const covered = new Set(wants.flatMap(({ disturbed, excused }) => [...disturbed, ...excused]));
  const wanted = new Set(wants.flatMap(({ attributes }) => attributes));
  return [...wanted].filter((name) => !covered.has(name)).toSorted();
}

/** Why a clause cannot apply: what the cases say, or what follows from the type itself. */
function explanationOf(clause: Clause, about: About): string | null {
  const { cases, findings, lacking } = about;
  const said = notOf(clause, cases) ?? (clause < 'h' ? notOf('b', cases) : undefined);
  const excused = cases.flatMap(({ case: { undisturbed } }) => Object.values(undisturbed));
  if (said !== undefined) return said;
  const own = ownExplanation(clause, about);
  if (own !== null) return own;
  if (clause === 'd' && excused.length > 0 && undisturbedIn(findings).length === 0)
    return [...new Set(excused)].join('; ');
  const [feature] = lacking.values();
  return feature === undefined ? null : `this machine lacks ${feature}`;
}

/** What a case says; where nothing can be brought about, nothing can be disturbed, read or undone either. */
function notOf(clause: Clause, cases: readonly NamedCase[]): string | undefined {
  return cases.find(({ case: { not } }) => clause in not)?.case.not[clause];
}

function ownExplanation(clause: Clause, { type, findings }: About): string | null {
  if (clause === 'i') return secretNamesOf(type).size === 0 ? 'it takes no secret' : null;
  if (!'defg'.includes(clause)) return null;
  const wants = wantsIn(findings);
  if (type.awaits === true) return 'it waits for what others do';
  if (wants.length > 0 && !wants.some(({ isChange }) => isChange)) return 'it changes nothing';
  if (clause === 'g') return null;
  if (type.oneShot === true) return 'what it does cannot be read back';
  return wants.some(({ isAbsence }) => !isAbsence) ? null : absenceExplanation(clause, wants);
}

function absenceExplanation(clause: Clause, { length }: readonly Wants[]): string | null {
  if (length === 0 || clause === 'd') return null;
  return clause === 'e'
    ? 'there is nothing to read of what is gone'
    : 'it is itself the opposite of the type that makes the thing';
}

function gapIn(type: string, clause: Clause, cell: Cell): readonly string[] {
  if (cell.is === 'empty') return [`${type} (${clause}): no case shows that ${CLAUSES[clause]}`];
  if (cell.is !== 'broken' || clause !== 'd') return [];
  return cell.why.filter((why) => why.startsWith('nobody')).map((why) => `${type} (d): ${why}`);
}

const SIGNS = { kept: '✓', broken: '✗', explained: '–', empty: '?' } as const;

/** The table, then why the dashes are there. */
export function renderMatrix(rows: readonly Row[]): string {
  const width = Math.max(4, ...rows.map(({ type }) => type.length));
  const head = `${'type'.padEnd(width)}  cases  ${LETTERS.join(' ')}`;
  const table = rows.map(({ type, cases, cells }) => {
    const signs = LETTERS.map((clause) => SIGNS[cells.get(clause)?.is ?? 'empty']);
    return `${type.padEnd(width)}  ${String(cases).padStart(5)}  ${signs.join(' ')}`;
  });
  const legend = LETTERS.map((clause) => `${clause}  ${CLAUSES[clause]}`);
  return [head, ...table, '', ...legend, '', ...explanations(rows)].join('\n');
}

/** One line for each reason, with those whom it holds for. */
function explanations(rows: readonly Row[]): readonly string[] {
  const holders = new Map<string, string[]>();
  for (const { type, cells } of rows) {
    const reasons = new Map<string, string>();
    for (const [clause, cell] of cells) {
      if (cell.is === 'explained') reasons.set(cell.why, (reasons.get(cell.why) ?? '') + clause);
    }
    for (const [why, letters] of reasons)
      holders.set(why, [...(holders.get(why) ?? []), `${type} (${[...letters].join(' ')})`]);
  }
  return [...holders].map(([why, types]) => `–  ${why}: ${types.join(', ')}`);
}

/** `115 types, 340 cases (60 of bad input)` */
export function renderCounts(rows: readonly Row[], cases: readonly NamedCase[]): string {
  const bad = cases.filter((named) => isRefusal(named.case)).length;
  return `${rows.length} types, ${cases.length} cases (${bad} of bad input)`;
}
