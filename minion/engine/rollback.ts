import type { Declaration } from '../../language/declaration.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Host, HostView } from '../host/host.ts';
import { deadlineFor, typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { filesAt, placeFiles } from './kept-files.ts';
import type { KeptFile } from './kept-files.ts';
import { reactAndVerify } from './converge.ts';
import { Abandoned, inTime } from './deadline.ts';
import { targetsOf } from './requisites.ts';

/**
 * Keeps the files that a state is about to change in mind, if one service and nobody else is to be brought up on them:
 * that one may need them back.
 */
export async function keepOld(
  declaration: Declaration,
  context: RunContext,
  host: HostView,
): Promise<void> {
  const { kept, reactions, byKey } = context;
  const edges = reactions.by.get(declaration.key) ?? [];
  const watchers = new Set(edges.filter(({ kind }) => kind !== 'onchanges').map(({ key }) => key));
  const [watcher] = [...watchers].map((key) => byKey.get(key));
  const isSole = watchers.size === 1 && watcher !== undefined;
  if (kept.has(declaration.key) || !isSole || typeOf(context, watcher).restarts !== true) return;
  const resources = typeOf(context, declaration).provides?.(declaration.args) ?? [];
  const paths = resources.filter((one) => one.startsWith('path:/')).map((one) => one.slice(5));
  kept.set(declaration.key, await filesAt(paths, host));
}

/**
 * A service has not come up on what this run has changed: puts the old files back and brings it up on them. Gives the
 * failure with what came of that. If it does not come up on the old ones either, they are not what is wrong: the
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
  const paths = old.map(({ path }) => `"${path}"`).join(', ');
  try {
    await inTime(deadlineFor(declaration, context), async (signal) =>
      bringBack(old, declaration, { context, host: context.hosts.within(signal) }),
    );
  } catch (second) {
    const why = `it does not come up on the old ${paths} either, so the new stays`;
    return told(`${why}: ${messageOf(second)}`);
  }
  context.journal.strike(({ key, kind }) => key === declaration.key && kind !== 'onchanges');
  // That the tree's files are not there any more is no drift when the next run puts them there again.
  const put = watchedBy(declaration).filter((key) => context.kept.has(key));
  for (const key of put) context.memory.wanted.unsettle(key);
  return told(`the old ${paths} is back, and it is up on that again`);
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
    await reactAndVerify(type, declaration.args, host);
  } catch (error) {
    await placeFiles(current, host);
    throw error;
  }
}
