import { isDeepStrictEqual } from 'node:util';
import type { Declaration } from '../../language/declaration.ts';
import type { Change } from '../../shared/change.ts';
import { ConductorError } from '../../shared/errors.ts';
import { typeOf } from './context.ts';
import type { Made, RunContext } from './context.ts';

/**
 * Throws if this change would take back what another state of this run has made of the same file: both would do
 * so again at every run. What two states want of one file altogether is often known only once they have changed it.
 */
export function refuseUndoing(
  declaration: Declaration,
  change: Change | null,
  context: RunContext,
): void {
  const { id, key } = declaration;
  for (const path of pathsOf(declaration, context)) {
    const earlier = context.made
      .get(path)
      ?.find((made) => made.key !== key && undoes(change, made));
    if (earlier === undefined) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot carry out "${id}": it would take back what "${earlier.id}" has just changed in "${path.slice('path:'.length)}", and both would change it again at every run (let only one of them decide about that)`,
    );
  }
}

/** Remembers what a state has changed of a file, for those that come after it. */
export function noteMade(
  declaration: Declaration,
  change: Change | null,
  context: RunContext,
): void {
  if (change?.action !== 'update') return;
  for (const path of pathsOf(declaration, context)) {
    const known = context.made.get(path) ?? [];
    context.made.set(path, [...known, { key: declaration.key, id: declaration.id, change }]);
  }
}

function pathsOf(declaration: Declaration, context: RunContext): readonly string[] {
  const type = typeOf(context, declaration);
  if (type.textAttribute === undefined) return [];
  const provided = type.provides?.(declaration.args) ?? [];
  return provided.filter((resource) => resource.startsWith('path:'));
}

/** Whether it brings back exactly what stood there before. */
function undoes(change: Change | null, { change: earlier }: Made): boolean {
  if (change?.action !== 'update') return false;
  const names = Object.keys(change.to);
  return names.every(
    (name) =>
      earlier.to[name] !== undefined && isDeepStrictEqual(earlier.from[name], change.to[name]),
  );
}
