import type { Checked } from './declare.ts';
import { isConditional, tellRivals, type Together } from './rivals.ts';

/** Reports states that bring something about within what another one takes away, at every run. */
export function refuseBelowGone(checked: readonly Checked[], together: Together): void {
  const gone = goneBy(checked, together);
  if (gone.size === 0) return;
  for (const one of checked) {
    if (isConditional(one, together)) continue;
    const path = one.provides.find((made) => isPath(made) && goneAbove(made, gone) !== null);
    const above = path === undefined ? null : goneAbove(path, gone);
    if (path === undefined || above === null) continue;
    const isFirst = checked.indexOf(one) < checked.indexOf(above.by);
    const [later, earlier] = isFirst ? [above.by, one] : [one, above.by];
    const why = `one makes "${nameOf(path)}", and the other wants "${nameOf(above.path)}" gone`;
    tellRivals(later.draft, earlier.draft, why, together.problems);
  }
}

/** Who takes a path away whenever it is there. */
function goneBy(checked: readonly Checked[], together: Together): ReadonlyMap<string, Checked> {
  const gone = new Map<string, Checked>();
  for (const one of checked) {
    const settled = together.states.get(one.draft.type)?.settles?.(one.args) ?? {};
    if (isConditional(one, together)) continue;
    for (const [resource, { existence }] of Object.entries(settled))
      if (existence === 'gone' && isPath(resource)) gone.set(resource, one);
  }
  return gone;
}

interface Gone {
  readonly path: string;
  readonly by: Checked;
}

function goneAbove(path: string, gone: ReadonlyMap<string, Checked>): Gone | null {
  for (let at = above(path); at !== 'path:'; at = above(at)) {
    const by = gone.get(at);
    if (by !== undefined) return { path: at, by };
  }
  return null;
}

function above(path: string): string {
  const end = path.lastIndexOf('/');
  return end === -1 ? 'path:' : path.slice(0, end);
}

function isPath(resource: string): boolean {
  return resource.startsWith('path:/');
}

function nameOf(path: string): string {
  return path.slice('path:'.length);
}
