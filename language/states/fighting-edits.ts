import { ConductorError } from '../../shared/errors.ts';
import { within } from '../../shared/within.ts';
import type { Rewriting } from '../../shared/surroundings.ts';
import type { Checked } from './declare.ts';
import { isConditional, isOneId, tellRivals, type Together } from './rivals.ts';

/** A state with what it makes of a file. */
interface Editor {
  readonly one: Checked;
  readonly rewriting: Rewriting;
}

/** With more states that write one file, only a run tells. */
const MOST_EDITORS = 24;
const LIMIT_MS = 5000;

/**
 * Reports states that write one file so that each changes what the other has made, at every run: tried on texts of what
 * their arguments hold. Not those that have been told already.
 */
export function refuseFightingEdits(
  checked: readonly Checked[],
  told: ReadonlySet<Checked>,
  together: Together,
): void {
  // To be bounded for each edit takes longer than the edits do. With patterns that take too long, only a run tells.
  within(LIMIT_MS, () => {
    for (const [path, editors] of editorsByPath(checked, together))
      if (editors.length <= MOST_EDITORS) tellFights(path, editors, { told, together });
  });
}

interface Telling {
  readonly told: ReadonlySet<Checked>;
  readonly together: Together;
}

function tellFights(path: string, editors: readonly Editor[], { told, together }: Telling): void {
  for (const [at, later] of editors.entries()) {
    if (told.has(later.one)) continue;
    const rival = editors.slice(0, at).find((earlier) => doFight(earlier, later));
    if (rival === undefined) continue;
    const why = `each changes what the other has made of "${path}"`;
    tellRivals(later.one.draft, rival.one.draft, why, together.problems);
  }
}

function editorsByPath(
  checked: readonly Checked[],
  together: Together,
): ReadonlyMap<string, readonly Editor[]> {
  const editors = new Map<string, Editor[]>();
  for (const one of checked) {
    const rewriting = together.states.get(one.draft.type)?.rewrites?.(one.args) ?? null;
    if (rewriting === null || isConditional(one, together)) continue;
    const { path } = rewriting;
    editors.set(path, [...(editors.get(path) ?? []), { one, rewriting }]);
  }
  return editors;
}

function doFight(earlier: Editor, later: Editor): boolean {
  if (isOneId(earlier.one.draft, later.one.draft)) return false;
  const [one, other] = [earlier.rewriting, later.rewriting];
  const texts = [one.samples, other.samples, [...one.samples, ...other.samples]].map(textOf);
  return [null, '', ...texts].some((text) => doFightOver(text, one, other));
}

function textOf(lines: readonly string[]): string {
  return [...new Set(lines)].map((line) => `${line}\n`).join('');
}

/** Whether both still change it in the second run and in the third. */
function doFightOver(start: string | null, one: Rewriting, other: Rewriting): boolean {
  let text = start;
  for (let run = 1; run <= 3; run += 1) {
    const first = rewritten(text, one);
    const second = first === undefined ? undefined : rewritten(first, other);
    if (second === undefined || first === undefined) return false;
    if (run > 1 && (first === text || second === first)) return false;
    text = second;
  }
  return true;
}

/** `undefined` where it is refused: no such text can be meant. */
function rewritten(text: string | null, { rewrite }: Rewriting): string | null | undefined {
  try {
    return rewrite(text);
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    return undefined;
  }
}
