import type { Declaration } from '../../language/declaration.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Host } from '../host/host.ts';
import { deadlineFor, typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { filesAt, isSame, placeFiles, removeMadeFor, restoreFiles } from './kept-files.ts';
import type { KeptFile } from './kept-files.ts';
import { bringUpOld } from './converge.ts';
import { Abandoned, inTime } from './deadline.ts';
import { changedSince, forgetOldFiles } from './old-files.ts';
import { targetsOf } from './requisites.ts';

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
  | { readonly end: 'edited'; readonly paths: readonly string[] }
  | Done
  | Failed
  | { readonly end: 'cut short'; readonly paths: readonly string[]; readonly why: string };

interface Done {
  readonly end: 'done';
  readonly old: readonly KeptFile[];
  /** What could not be taken back, by the ids of the states that changed it. */
  readonly staying: readonly string[];
}

interface Failed {
  readonly end: 'not placed' | 'not up';
  readonly paths: readonly string[];
  readonly why: string;
  /** Where the new files could not be put back either, and why. */
  readonly stuck: ReadonlyMap<string, string>;
}

async function rollBack(declaration: Declaration, context: RunContext): Promise<RollBack> {
  const kept = keptFor(declaration, context);
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

/** Each as it was before the first of the states that changed it. */
function keptFor(declaration: Declaration, { kept }: RunContext): readonly KeptFile[] {
  const watched = watchedBy(declaration);
  const files = new Map<string, KeptFile>();
  for (const [key, own] of kept) {
    const first = watched.includes(key) ? own.filter(({ path }) => !files.has(path)) : [];
    for (const file of first) files.set(file.path, file);
  }
  return [...files.values()];
}

/** All of the old files and the service on them, or the new files. Throws if the run must end meanwhile. */
async function bringBack(
  kept: readonly KeptFile[],
  declaration: Declaration,
  { context, host }: { readonly context: RunContext; readonly host: Host },
): Promise<RollBack> {
  const current = new Map((await filesAt(pathsIn(kept), host)).map((file) => [file.path, file]));
  const old = kept.filter((file) => {
    const now = current.get(file.path);
    return now !== undefined && !isSame(now, file);
  });
  if (old.length === 0) return { end: 'nothing to do' };
  let end: Failed['end'] = 'not placed';
  try {
    await placeFiles(old, host);
    end = 'not up';
    await bringUpOld(typeOf(context, declaration), declaration.args, host);
  } catch (error) {
    const stuck = await restoreFiles([...current.values()], host);
    context.signal.throwIfAborted();
    return { end, paths: pathsIn(old), why: messageOf(error), stuck };
  }
  await removeMadeFor(old, host);
  return {
    end: 'done',
    old,
    staying: stayingOf(declaration, pathsIn([...current.values()]), context),
  };
}

/** Of the changes that it has to react to, those that cannot be taken back. */
function stayingOf(
  declaration: Declaration,
  placeable: readonly string[],
  { journal, kept, byKey }: RunContext,
): readonly string[] {
  const owed = journal
    .all()
    .filter(({ key, kind }) => key === declaration.key && kind !== 'onchanges');
  const changed = new Set(owed.map(({ because }) => because));
  const staying = [...changed].filter((key) => {
    const files = kept.get(key) ?? [];
    return files.length === 0 || !files.every(({ path }) => placeable.includes(path));
  });
  return staying.map((key) => byKey.get(key)?.id ?? key);
}

/** What follows from it for later runs. Says what there is to tell. */
function conclude(came: RollBack, declaration: Declaration, context: RunContext): string | null {
  switch (came.end) {
    case 'nothing to do':
      return null;
    case 'edited':
      forgetAll(declaration, context);
      return `${quoted(came.paths)} ${are(came.paths) === 'is' ? 'has' : 'have'} been changed since, so nothing is put back`;
    case 'cut short':
      return `going back to the old ${quoted(came.paths)} was cut short, and the next run does it: ${came.why}`;
    case 'not placed':
      return `the old ${quoted(came.paths)} cannot be put back, ${standing(came)}`;
    case 'not up':
      forgetAll(declaration, context);
      return `it does not come up on the old ${quoted(came.paths)} either, ${standing(came)}`;
    case 'done':
      noteBack(pathsIn(came.old), declaration, context);
  }
  return doneWords(came);
}

function doneWords({ old, staying }: Done): string {
  const back = pathsIn(old.filter((file) => !isGone(file)));
  const gone = pathsIn(old.filter(isGone));
  const words = [
    ...(back.length === 0 ? [] : [`the old ${quoted(back)} ${are(back)} back`]),
    ...(gone.length === 0 ? [] : [`the new ${quoted(gone)} ${are(gone)} gone`]),
  ];
  const rest = staying.length === 0 ? '' : `; what ${quoted(staying)} changed stays`;
  return `${words.join(' and ')}, and it is up on that again${rest}`;
}

function isGone({ content, to }: KeptFile): boolean {
  return content === null && to === undefined;
}

function are({ length }: readonly string[]): string {
  return length === 1 ? 'is' : 'are';
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

const MOST_NAMED = 10;

function quoted(names: readonly string[]): string {
  const first = names.slice(0, MOST_NAMED).map((name) => `"${name}"`);
  const more = names.length - first.length;
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}

function forgetAll(declaration: Declaration, context: RunContext): void {
  for (const key of watchedBy(declaration)) forgetOldFiles(key, context);
}

function watchedBy(declaration: Declaration): readonly string[] {
  return targetsOf(declaration, ['watch', 'watch_any', 'listen']);
}
