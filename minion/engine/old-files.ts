import { z } from 'zod';
import type { Declaration } from '../../language/declaration.ts';
import { fromKept, toKept } from '../../shared/kept-json.ts';
import { typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import type { HostView } from '../host/host.ts';
import { directed, filesAt, followed, keptFileSchema, lookOf, looksAt } from './kept-files.ts';
import type { KeptFile } from './kept-files.ts';
import { loggable } from './redaction.ts';

/**
 * The files that a service may need back, as they were. They are kept for as long as its reaction to their change is
 * owed: a run that is killed before, or has to end, leaves them to the next one.
 */

const PREFIX = 'reaction to ';
const filesSchema = z.array(keptFileSchema);

/** The one service that is brought up on what a declaration changes, unless somebody else reacts to it as well. */
function soleServiceOf(
  key: string,
  { reactions, byKey, types }: Pick<RunContext, 'reactions' | 'byKey' | 'types'>,
): Declaration | null {
  const edges = reactions.by.get(key) ?? [];
  const watchers = new Set(
    edges.filter(({ kind }) => kind !== 'onchanges').map((edge) => edge.key),
  );
  const [watcher] = [...watchers].map((watching) => byKey.get(watching));
  if (watchers.size !== 1 || watcher === undefined) return null;
  return typeOf({ types }, watcher).bringBack === undefined ? null : watcher;
}

/**
 * Keeps the files that a state is about to change, if one service and nobody else is to be brought up on them: that one
 * may need them back, in this run or, if this one is killed, in the next. What an earlier run has kept stays, unless
 * somebody else has changed the file since. None are kept of a state of which not all could be put back.
 */
export async function keepOld(
  declaration: Declaration,
  context: RunContext,
  host: HostView,
): Promise<void> {
  const { key } = declaration;
  if (soleServiceOf(key, context) === null) return;
  const touched = await touchedBy(declaration, context, host);
  const paths = await followed([...touched.written, ...touched.taken], host);
  if (paths.length === 0) return;
  const known = await keptEarlier(key, context, host);
  const more = paths.filter((path) => !known.some((file) => file.path === path));
  const kept = [...known, ...(await filesAt(more, host))];
  if (await canAllBePutBack(touched, kept, host)) return keepOldFiles(key, kept, context);
  context.kept.set(key, []);
  forgetOldFiles(key, context);
}

interface Touched {
  readonly written: readonly string[];
  readonly taken: readonly string[];
}

/** Where a declaration may write, and what it may take away, as the host is. */
async function touchedBy(
  { type: name, args }: Declaration,
  { types }: RunContext,
  host: HostView,
): Promise<Touched> {
  const type = types.get(name);
  const cleared = (await type?.clears?.(args, host)) ?? [];
  const placesOf = async (paths: readonly string[]): Promise<string[]> =>
    Promise.all(paths.map(async (path) => directed(path, host)));
  return {
    written: await placesOf(pathsAmong(type?.provides?.(args))),
    taken: await placesOf([...pathsAmong(type?.takes?.(args)), ...cleared]),
  };
}

async function keptEarlier(
  key: string,
  context: RunContext,
  host: HostView,
): Promise<readonly KeptFile[]> {
  const earlier = context.kept.get(key) ?? [];
  return (await changedSince(earlier, context, host)).length === 0 ? earlier : [];
}

/** A directory that is written to is one before and after. */
async function canAllBePutBack(
  { written, taken }: Touched,
  kept: readonly KeptFile[],
  host: HostView,
): Promise<boolean> {
  const isKept = (path: string): boolean => kept.some((file) => file.path === path);
  if (!taken.every(isKept)) return false;
  const others = written.filter((path) => !isKept(path));
  const statuses = await Promise.all(others.map(async (path) => host.status(path)));
  return statuses.every((status) => status?.kind === 'directory');
}

/** On disk when it returns. */
function keepOldFiles(key: string, files: readonly KeptFile[], { kept, memory }: RunContext): void {
  kept.set(key, files);
  memory.keeps.put(`${PREFIX}${key}`, toKept(filesSchema, [...files]));
}

/**
 * Notes how a state that changed something has left the files that are kept, whichever state they are kept of: what
 * stands there later and is something else, somebody else has made.
 */
export async function noteLeft(
  declaration: Declaration,
  context: RunContext,
  host: HostView,
): Promise<void> {
  const { written, taken } = await touchedBy(declaration, context, host);
  const own = (context.kept.get(declaration.key) ?? []).map(({ path }) => path);
  const paths = new Set([...written, ...taken, ...own]);
  const touched = [...context.kept].filter(([, files]) =>
    files.some(({ path }) => paths.has(path)),
  );
  if (touched.length === 0) return;
  try {
    const looks = await looksAt([...paths], host);
    for (const [key, files] of touched) {
      const left = files.map((file) => ({ ...file, left: looks.get(file.path) ?? file.left }));
      keepOldFiles(key, left, context);
    }
  } catch (error) {
    const said = loggable(error, context.redaction);
    context.log.warn({ error: said }, 'What a state has left could not be looked at');
  }
}

function pathsAmong(resources: readonly string[] = []): readonly string[] {
  return resources.filter((one) => one.startsWith('path:/')).map((one) => one.slice(5));
}

/** Those of the files that are neither as they were nor as the states that changed them have left them. */
export async function changedSince(
  files: readonly KeptFile[],
  { kept }: RunContext,
  host: HostView,
): Promise<readonly string[]> {
  const all = [...kept.values()].flat();
  const looks = await looksAt(
    files.map(({ path }) => path),
    host,
  );
  return [...looks].flatMap(([path, look]) => {
    const known = all.filter((file) => file.path === path);
    const isOurs = known.some(
      (file) => file.left === undefined || file.left === look || lookOf(file) === look,
    );
    return isOurs ? [] : [path];
  });
}

/** Takes over what earlier runs have left: while there is a debt, the service has not come up on what is there now. */
export function takeOverOldFiles(context: RunContext): void {
  if (context.dryRun) return;
  for (const key of owedFor(context)) {
    const files = fromKept(filesSchema, context.memory.keeps.get(`${PREFIX}${key}`));
    if (files !== null && soleServiceOf(key, context) !== null) context.kept.set(key, files);
  }
}

/** They are not what is wrong. */
export function forgetOldFiles(key: string, { memory }: RunContext): void {
  memory.keeps.put(`${PREFIX}${key}`, null);
}

/** What nobody can need again. A run of the whole tree that ended well has left nothing to be taken back. */
export function forgetUnneeded(context: RunContext): void {
  const { memory, isWhole, outcomes, dryRun } = context;
  if (dryRun) return;
  const owed = owedFor(context);
  const isWell = isWhole && [...outcomes.values()].every(({ status }) => !BAD.includes(status));
  for (const name of memory.keeps.names()) {
    const isOwed = name.startsWith(PREFIX) && owed.has(name.slice(PREFIX.length));
    if (!isOwed && (isWell || name.startsWith(PREFIX))) memory.keeps.put(name, null);
  }
}

const BAD: readonly string[] = ['failed', 'skipped'];

/** Whose changes have not been reacted to. */
function owedFor({ journal }: RunContext): ReadonlySet<string> {
  const owed = journal.all().filter(({ kind }) => kind !== 'onchanges');
  return new Set(owed.map(({ because }) => because));
}
