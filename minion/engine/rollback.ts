import type { Declaration } from '../../language/declaration.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Host, HostView } from '../host/host.ts';
import { deadlineFor, typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { filesAt, placeFiles, removeMadeFor } from './kept-files.ts';
import type { KeptFile } from './kept-files.ts';
import { bringUp } from './converge.ts';
import { Abandoned, inTime } from './deadline.ts';
import { changedSince, forgetOldFiles, keepOldFiles, pathsOf, soleServiceOf } from './old-files.ts';
import { targetsOf } from './requisites.ts';

/**
 * Keeps the files that a state is about to change, if one service and nobody else is to be brought up on them: that one
 * may need them back, in this run or, if this one is killed, in the next. What an earlier run has kept stays, unless
 * somebody else has changed the file since.
 */
export async function keepOld(
  declaration: Declaration,
  context: RunContext,
  host: HostView,
): Promise<void> {
  const { key } = declaration;
  if (soleServiceOf(key, context) === null) return;
  const kept = context.kept.get(key);
  if (kept !== undefined && (await changedSince(kept, context, host)).length === 0) return;
  const paths = pathsOf(declaration, context);
  if (paths.length > 0) keepOldFiles(key, await filesAt(paths, host), context);
}

/**
 * A service has not come up on what this run has changed: puts the old files back and brings it up on them. Gives the
 * failure with what came of that. What somebody else has changed since is not touched, nor is anything with it. If it does not come up on the old ones either, they are not what is wrong: the
 * new ones stay, and so does the debt.
 */
export async function withOldBack(
  error: unknown,
  declaration: Declaration,
  context: RunContext,
): Promise<unknown> {
  const old = watchedBy(declaration).flatMap((key) => context.kept.get(key) ?? []);
  const isOver = context.signal.aborted || error instanceof Abandoned;
  if (old.length === 0 || isOver || !(error instanceof ConductorError)) return error;
  const told = (words: string): ConductorError =>
    new ConductorError(error.code, `${error.message}; ${words}`, {
      ...error.details,
      cause: error,
    });
  const paths = quoted(old.map(({ path }) => path));
  try {
    const edited = await inTime(deadlineFor(declaration, context), async (signal) => {
      const host = context.hosts.within(signal);
      const changed = await changedSince(old, context, host);
      if (changed.length === 0) await bringBack(old, declaration, { context, host });
      return changed;
    });
    if (edited.length > 0) {
      forgetAll(declaration, context);
      return told(`${quoted(edited)} has been changed since, so nothing is put back`);
    }
  } catch (second) {
    forgetAll(declaration, context);
    const why = `it does not come up on the old ${paths} either, so the new stays`;
    return told(`${why}: ${messageOf(second)}`);
  }
  context.journal.strike(({ key, kind }) => key === declaration.key && kind !== 'onchanges');
  // That the tree's files are not there any more is no drift when the next run puts them there again: they are asked for still.
  const put = watchedBy(declaration).filter((key) => context.kept.has(key));
  for (const key of put) context.memory.wanted.revert(key);
  return told(`the old ${paths} is back, and it is up on that again`);
}

function quoted(paths: readonly string[]): string {
  return paths.map((path) => `"${path}"`).join(', ');
}

function forgetAll(declaration: Declaration, context: RunContext): void {
  for (const key of watchedBy(declaration)) forgetOldFiles(key, context);
}

function watchedBy(declaration: Declaration): readonly string[] {
  return targetsOf(declaration, ['watch', 'watch_any', 'listen']);
}

async function bringBack(
  old: readonly KeptFile[],
  declaration: Declaration,
  { context, host }: { readonly context: RunContext; readonly host: Host },
): Promise<void> {
  const type = typeOf(context, declaration);
  const current = await filesAt(
    old.map(({ path }) => path),
    host,
  );
  await placeFiles(old, host);
  try {
    await bringUp(type, declaration.args, host);
  } catch (error) {
    await placeFiles(current, host);
    throw error;
  }
  await removeMadeFor(old, host);
}
