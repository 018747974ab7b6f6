import type { Outcome } from '../../protocol/report.ts';
import { escapeControls } from '../../shared/log.ts';
import { withoutFingerprints } from '../../shared/marks.ts';
import { renderOutcome, type RenderOptions } from '../../shared/render-run.ts';

/** What has come of the states of one host. */
export interface HostOutcomes {
  readonly minion: string;
  readonly outcomes: readonly Outcome[];
}

/** What is always shown with its host. */
export function isFailure({ status, blocked }: Outcome): boolean {
  return status === 'failed' || blocked === true;
}

/** With so many hosts or fewer each is shown by itself. */
export const FEW = 3;

interface Group {
  readonly minions: string[];
  /** By what they say. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/**
 * What hosts have in common is shown once, then what is different and where. Failures and what they
 * kept from running are left out: they are always shown with their host.
 */
export function renderSame(hosts: readonly HostOutcomes[], options: RenderOptions): string[] {
  const groups = groupsOf(hosts).filter(({ outcomes }) => outcomes.size > 0);
  const [first, ...others] = groups;
  if (first === undefined) return [];
  const shared = first.minions.length > 1 ? first : null;
  const lines = shared === null ? [] : renderShared(shared, options);
  const different = shared === null ? groups : others;
  return [...lines, ...different.flatMap((group) => renderDifferent(group, shared, options))];
}

/** The largest first. */
function groupsOf(hosts: readonly HostOutcomes[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { minion, outcomes } of hosts) {
    const said = new Map(outcomes.filter(isNews).map((outcome) => [saying(outcome), outcome]));
    const key = [...said.keys()].join('\n');
    const group = groups.get(key) ?? { minions: [], outcomes: said };
    group.minions.push(minion);
    groups.set(key, group);
  }
  return [...groups.values()].toSorted((a, b) => b.minions.length - a.minions.length);
}

function isNews({ status, reaction }: Outcome): boolean {
  if (status === 'failed') return false;
  return reaction !== undefined || (status !== 'unchanged' && status !== 'skipped');
}

/** All that is the same where the same has happened, for the same reason: not when, nor how long it took, nor fingerprints. */
function saying(outcome: Outcome) {
  const { type, id, name, status, change, diff, reaction, output, because, origin } = outcome;
  const said = [type, id, name, status, change, diff, reaction, output, because, kindOf(origin)];
  return withoutFingerprints(JSON.stringify(said));
}

/** How often one host has drifted is its own. */
function kindOf(origin: Outcome['origin']) {
  return origin?.kind === 'drift' ? { kind: origin.kind } : origin;
}

function renderShared({ minions, outcomes }: Group, options: RenderOptions): string[] {
  const head = `${minions.length} hosts: the same ${countOf(outcomes.size)}`;
  return [head, `    ${namesOf(minions)}`, ...linesOf(minions, [...outcomes.values()], options)];
}

function renderDifferent(group: Group, shared: Group | null, options: RenderOptions): string[] {
  const { minions, outcomes } = group;
  const [only = ''] = minions;
  const many = minions.length > 1;
  if (shared === null && !many)
    return [
      `${escapeControls(only)}: ${countOf(outcomes.size)}`,
      ...linesOf(minions, [...outcomes.values()], options),
    ];
  const own = [...outcomes].filter(([said]) => shared?.outcomes.has(said) !== true);
  const missing = [...(shared?.outcomes ?? [])].filter(([said]) => !outcomes.has(said));
  const alike = outcomes.size - own.length;
  const head = many ? `${minions.length} hosts differ` : `${escapeControls(only)} differs`;
  return [
    `${head}: ${alike} of the same, ${own.length} of its own, ${missing.length} not there`,
    ...(many ? [`    ${namesOf(minions)}`] : []),
    ...missing.map(([, { type, id }]) => `    not ${escapeControls(`${type}  ${id}`)}`),
    ...linesOf(
      minions,
      own.map(([, outcome]) => outcome),
      options,
    ),
  ];
}

/** Of several hosts no fingerprints are shown, nor what stood there before: each has its own. */
function linesOf(
  minions: readonly string[],
  outcomes: readonly Outcome[],
  options: RenderOptions,
): string[] {
  if (minions.length === 1) return outcomes.flatMap((outcome) => renderOutcome(outcome, options));
  return outcomes
    .map(({ before: _, origin, ...outcome }) => ({ ...outcome, origin: kindOf(origin) }))
    .flatMap((outcome) => renderOutcome(outcome, options))
    .map(withoutFingerprints);
}

function countOf(changes: number): string {
  return changes === 1 ? '1 change' : `${changes} changes`;
}

const NAMES_SHOWN = 12;

function namesOf(minions: readonly string[]): string {
  const shown = minions.slice(0, NAMES_SHOWN).map(escapeControls).join(', ');
  const left = minions.length - NAMES_SHOWN;
  return left > 0 ? `${shown} and ${left} more` : shown;
}
