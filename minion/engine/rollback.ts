import type { Declaration } from '../../language/declaration.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Host, HostView } from '../host/host.ts';
import { deadlineFor, typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { filesAt, placeFiles, removeMadeFor, restoreFiles } from './kept-files.ts';
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
 * failure with what came of that. Only files are put back, no directories nor what is in them. What somebody else has
 * changed since is not touched, nor is anything with it. If it does not come up on the old ones either, they are not
 * what is wrong: the new ones stay, and so does the debt. A later run does again what was cut short or could not be done.
 */
export async function withOldBack(
  error: unknown,
  declaration: Declaration,
  context: RunContext,
): Promise<unknown> {
  const isOver = context.signal.aborted || error instanceof Abandoned;
  if (isOver || !(error instanceof ConductorError)) return error;
  const words = conclude(await rollBack(declaration, context), declaration, context);
  if (words === null) return error;
  const details = { ...error.details, cause: error };
  return new ConductorError(error.code, `${error.message}; ${words}`, details);
}

type RollBack =
  | { readonly end: 'nothing to do' }
  | { readonly end: 'edited' | 'done'; readonly paths: readonly string[] }
  | Failed
  | { readonly end: 'cut short'; readonly paths: readonly string[]; readonly why: string };

interface Failed {
  readonly end: 'not placed' | 'not up';
  readonly paths: readonly string[];
  readonly why: string;
  /** Where the new files could not be put back either, and why. */
  readonly stuck: ReadonlyMap<string, string>;
}

async function rollBack(declaration: Declaration, context: RunContext): Promise<RollBack> {
  const kept = watchedBy(declaration).flatMap((key) => context.kept.get(key) ?? []);
  if (kept.length === 0) return { end: 'nothing to do' };
  try {
    return await inTime(deadlineFor(declaration, context), async (signal) => {
      const host = context.hosts.within(signal);
      const paths = await changedSince(kept, context, host);
      if (paths.length > 0) return { end: 'edited', paths };
      return bringBack(kept, declaration, { context, host });
    });
  } catch (error) {
    return { end: 'cut short', paths: pathsIn(kept), why: messageOf(error) };
  }
}

/** All of the old files and the service on them, or the new files. Throws if the run must end meanwhile. */
async function bringBack(
  kept: readonly KeptFile[],
  declaration: Declaration,
  { context, host }: { readonly context: RunContext; readonly host: Host },
): Promise<RollBack> {
  const current = await filesAt(pathsIn(kept), host);
  const old = kept.filter(({ path }) => pathsIn(current).includes(path));
  const paths = pathsIn(old);
  if (paths.length === 0) return { end: 'nothing to do' };
  let end: Failed['end'] = 'not placed';
  try {
    await placeFiles(old, host);
    end = 'not up';
    await bringUp(typeOf(context, declaration), declaration.args, host);
  } catch (error) {
    const stuck = await restoreFiles(current, host);
    context.signal.throwIfAborted();
    return { end, paths, why: messageOf(error), stuck };
  }
  await removeMadeFor(old, host);
  return { end: 'done', paths };
}

/** What follows from it for later runs. Says what there is to tell. */
function conclude(came: RollBack, declaration: Declaration, context: RunContext): string | null {
  switch (came.end) {
    case 'nothing to do':
      return null;
    case 'edited':
      forgetAll(declaration, context);
      return `${quoted(came.paths)} has been changed since, so nothing is put back`;
    case 'cut short':
      return `going back to the old ${quoted(came.paths)} was cut short, and the next run does it: ${came.why}`;
    case 'not placed':
      return `the old ${quoted(came.paths)} cannot be put back, ${standing(came)}`;
    case 'not up':
      forgetAll(declaration, context);
      return `it does not come up on the old ${quoted(came.paths)} either, ${standing(came)}`;
    case 'done':
      noteBack(came.paths, declaration, context);
  }
  return `the old ${quoted(came.paths)} is back, and it is up on that again`;
}

function standing({ why, stuck }: Failed): string {
  if (stuck.size === 0) return `so the new stays: ${why}`;
  const also = [...stuck.values()].join('; ');
  return `nor can the new be put back at ${quoted([...stuck.keys()])}, where the old stays: ${why}; ${also}`;
}

/** That the tree's files are not there any more is no drift when the next run puts them there again: they are asked for still. */
function noteBack(paths: readonly string[], declaration: Declaration, context: RunContext): void {
  context.journal.strike(({ key, kind }) => key === declaration.key && kind !== 'onchanges');
  for (const key of watchedBy(declaration)) {
    const isBack = pathsIn(context.kept.get(key) ?? []).some((path) => paths.includes(path));
    if (isBack) context.memory.wanted.revert(key);
  }
}

function pathsIn(files: readonly KeptFile[]): readonly string[] {
  return files.map(({ path }) => path);
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
