import { ConductorError } from '../shared/errors.ts';
import { redactor } from '../shared/secret.ts';
import { showPlace, type Place } from './place.ts';

/** One step of what led to a place: `included from states/top.yaml:3:10`. */
export interface Link {
  readonly words: string;
  readonly place: Place;
}

/** A mistake in a tree: where it is, what it is, how to mend it, and what led there. */
export interface Problem {
  readonly place: Place;
  readonly message: string;
  readonly help: string | null;
  readonly chain: readonly Link[];
  /** The line of source at the place; `null` if there is none to show. */
  readonly sourceLine: string | null;
}

export interface More {
  readonly help?: string | null | undefined;
  readonly chain?: readonly Link[] | undefined;
  /** The line of source holds what is not to be shown. */
  readonly isHidden?: boolean;
}

/** Collects the mistakes of a whole tree, so that all of them are told in one pass. */
export interface Problems {
  add(place: Place, message: string, more?: More): void;
  /** In the order of files and lines, each place and message once. */
  list(): readonly Problem[];
}

/** A mistake met while evaluating; whoever knows the chain catches it and reports it. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
  readonly place: Place;
  readonly help: string | null;

  constructor(place: Place, message: string, help: string | null = null) {
    super(message);
    this.place = place;
    this.help = help;
  }
}

type Readable = { read(path: string): Uint8Array | null };

/** `tree` gives the source lines that are shown. */
export function collectProblems(tree: Readable): Problems {
  const found = new Map<string, Problem>();
  const lines = new Map<string, readonly string[]>();

  function sourceLine({ file, line }: Place): string | null {
    const known = lines.get(file) ?? linesOf(tree.read(file));
    lines.set(file, known);
    return known[line - 1] ?? null;
  }

  return {
    add(place, message, { help = null, chain = [], isHidden = false } = {}) {
      const key = `${showPlace(place)} ${message}`;
      if (found.has(key)) return;
      const line = isHidden ? null : sourceLine(place);
      found.set(key, { place, message, help, chain, sourceLine: line });
    },
    list: () => [...found.values()].toSorted(byPlace),
  };
}

function linesOf(bytes: Uint8Array | null): readonly string[] {
  return bytes === null ? [] : new TextDecoder().decode(bytes).split(/\r?\n/u);
}

function byPlace({ place: a, message: m }: Problem, { place: b, message: n }: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column || (m < n ? -1 : 1);
}

/** Place and message, the source line with a caret, how to mend it, and the chain. */
export function renderProblem(problem: Problem): string {
  const { place, message, help, chain } = problem;
  return [
    `${showPlace(place)}: ${message}`,
    ...snippet(problem),
    ...(help === null ? [] : [`  help: ${help}`]),
    ...chain.map((link) => `  ${link.words} ${showPlace(link.place)}`),
  ].join('\n');
}

const WIDEST = 160;

function snippet({ place, sourceLine }: Problem): string[] {
  if (sourceLine === null || sourceLine.trim() === '') return [];
  const number = String(place.line).padStart(5);
  const before = sourceLine.slice(0, place.column - 1).replaceAll(/[^\t]/gu, ' ');
  const word = /^[\w.+-]+/u.exec(sourceLine.slice(place.column - 1))?.[0] ?? '';
  const caret = before.length < WIDEST ? [`      | ${before}${'^'.repeat(word.length || 1)}`] : [];
  const shown = sourceLine.length > WIDEST ? `${sourceLine.slice(0, WIDEST)}…` : sourceLine;
  return [`${number} | ${shown}`, ...caret];
}

/** All problems, one after the other, with their number at the end. */
export function renderProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [...problems.map(renderProblem), count].join('\n\n');
}

/** Throws TREE_INVALID if anything was collected; none of the secrets is shown. */
export function refuseProblems(problems: Problems, secrets: readonly string[] = []): void {
  const redact = redactor(secrets, () => 'hidden');
  const list = problems.list().map((problem) => {
    const { message, help } = problem;
    return { ...problem, message: redact(message), help: help === null ? null : redact(help) };
  });
  if (list.length === 0) return;
  throw new ConductorError('TREE_INVALID', renderProblems(list), { problems: list });
}
