import type { z } from 'zod';
import type { Change } from '../../../../shared/change.ts';
import { SECRET } from '../../../../shared/surroundings.ts';
import type { Rewriting, Settled, Surroundings } from '../../../../shared/surroundings.ts';
import { defineState } from '../../../engine/state-type.ts';
import type { StateType } from '../../../engine/state-type.ts';
import type { FileStatus, Host, HostView } from '../../../host/host.ts';
import {
  followLinks,
  makeParents,
  ownershipOf,
  refuseKind,
  wantedOwnership,
} from '../../lib/ownership.ts';
import { refusePlace } from '../../lib/places.ts';
import { ownersOf, parentsOf } from '../../lib/resources.ts';
import { said } from '../../lib/said.ts';
import { SECRET_MODE, refuseOpen } from '../../lib/secrecy.ts';
import { resultOf, textOf } from './edited-text.ts';
import type { EditArgs, TextEdit } from './edited-text.ts';
import { backUp, checkContent } from './file-safety.ts';
import { sha256Of } from './hashes.ts';
import { samplesIn } from './samples.ts';

/** How a file is that is edited. Of its text there is a digest only, if it is not to be shown. */
export type EditedFile = {
  content?: string;
  digest?: string;
  user: string;
  group: string;
  mode: string;
};

/** A state type whose every instance is one text made of another. */
export interface Edit<Args extends EditArgs> extends TextEdit<Args> {
  readonly name: `file.${string}`;
  readonly schema: z.ZodType<Args>;
  readonly example: string;
  readonly treeFiles?: readonly string[];
  readonly treeFileLists?: readonly string[];
  readonly pillarPaths?: readonly string[];
  readonly modeArgument?: string;
  knowing?(args: Args, surroundings: Surroundings): Args;
  readonly settles?: (args: Args) => Settled;
  /** Why the text is as it was, where that may not be what was meant; `''` if it is. */
  readonly doubts?: (text: string, args: Args) => string;
  /** Lines that a file may hold by these arguments, if they do not hold them themselves. */
  readonly samples?: (args: Args) => readonly string[];
}

/**
 * Makes a state type of an edit. What is no text is refused, as is an edit that would change its
 * own result again; line ends, a byte order mark, owners and mode stay as they are.
 */
export function defineEdit<Args extends EditArgs>(edit: Edit<Args>): StateType {
  const { name, schema, example, treeFiles, treeFileLists, pillarPaths, modeArgument } = edit;
  return defineState({
    name,
    schema,
    example,
    ...said({ treeFiles, treeFileLists, pillarPaths, modeArgument }),
    knowing(args: Args, surroundings: Surroundings): Args {
      const { holdsSecret } = surroundings;
      return { ...(edit.knowing?.(args, surroundings) ?? args), holdsSecret };
    },
    textAttribute: 'content',
    digests: ['digest'],
    isRelative: true,
    provides: (args: Args) => [`path:${args.name}`],
    settles: (args: Args) => withSecrecy(args, edit.settles?.(args) ?? {}),
    rewrites: (args: Args): Rewriting => ({
      path: args.name,
      samples: edit.samples?.(args) ?? samplesIn(args),
      rewrite: (text) => resultOf(edit, text, args),
    }),
    needs: (args: Args) => [`path:${args.name}`, ...parentsOf(args.name), ...ownersOf(said(args))],
    says: (args: Args, state: EditedFile | null) => doubtsOf(edit, state, args),
    read: async (args: Args, host: HostView) => read(args, host),
    want: async (args: Args, host: HostView) => want(edit, args, host),
    refuses: async (change: Change<EditedFile>, args: Args, host: HostView) =>
      refuses(edit, change, args, host),
    apply: async (change: Change<EditedFile>, args: Args, host: Host) =>
      apply(edit, change, args, host),
  });
}

/** Nobody else makes a file readable to all that this puts a secret into. */
function withSecrecy({ name, holdsSecret }: EditArgs, settled: Settled): Settled {
  const path = `path:${name}`;
  return holdsSecret === true
    ? { ...settled, [path]: { ...settled[path], [SECRET]: 'yes' } }
    : settled;
}

/** Of a text that is not to be shown nothing is said. */
function doubtsOf<Args extends EditArgs>(
  edit: Edit<Args>,
  state: EditedFile | null,
  args: Args,
): string {
  return state?.content === undefined ? '' : (edit.doubts?.(state.content, args) ?? '');
}

interface Located {
  readonly path: string;
  readonly status: FileStatus | null;
  readonly text: string | null;
}

async function locate(args: EditArgs, host: HostView): Promise<Located> {
  const path = await followLinks(args.name, host);
  const status = await host.status(path);
  if (status !== null && status.kind !== 'file') refuseKind(path, status, 'a file');
  const bytes = status === null ? null : await host.readFile(path);
  return { path, status, text: bytes === null ? null : textOf(args, bytes) };
}

async function read(args: EditArgs, host: HostView): Promise<EditedFile | null> {
  const { status, text } = await locate(args, host);
  if (status === null || text === null) return null;
  const { user, group, mode } = status;
  return { ...shown(text, args), user, group, mode };
}

function shown(text: string, { show_changes: show }: EditArgs) {
  return show ? { content: text } : { digest: sha256Of(Buffer.from(text)) };
}

async function want<Args extends EditArgs>(
  edit: Edit<Args>,
  args: Args,
  host: HostView,
): Promise<Partial<EditedFile> | null> {
  const { text, status } = await locate(args, host);
  const result = resultOf(edit, text, args);
  if (result === null) return null;
  const { name, holdsSecret, mode, file_mode: fileMode = mode } = args;
  if (holdsSecret === true && fileMode === undefined) refuseOpen(name, status);
  return { ...shown(result, args), ...(await wantedOwnership(ownersArgs(args, status), host)) };
}

/** A new file that holds a secret is its owner's alone. */
function ownersArgs(args: EditArgs, status: FileStatus | null) {
  const { user, group, mode, file_mode: fileMode = mode, holdsSecret } = args;
  const closed = holdsSecret === true && status === null ? SECRET_MODE : undefined;
  return said({ user, group, mode: fileMode ?? closed });
}

async function refuses<Args extends EditArgs>(
  edit: Edit<Args>,
  change: Change<EditedFile>,
  args: Args,
  host: HostView,
): Promise<void> {
  const { path, text } = await locate(args, host);
  await refusePlace({ name: path, makedirs: args.makedirs ?? false }, host);
  const result = isEdited(change) ? resultOf(edit, text, args) : null;
  if (result !== null) await checkContent(args, Buffer.from(result, 'utf8'), host);
}

/** Otherwise only owners and mode differ. */
function isEdited(change: Change<EditedFile>): boolean {
  if (change.action === 'remove') return false;
  return change.action === 'create' || (change.to.content ?? change.to.digest) !== undefined;
}

async function apply<Args extends EditArgs>(
  edit: Edit<Args>,
  change: Change<EditedFile>,
  args: Args,
  host: Host,
): Promise<void> {
  if (change.action === 'remove') return;
  const { path, status, text } = await locate(args, host);
  const ownership = ownershipOf(ownersArgs(args, status));
  if (!isEdited(change)) {
    await host.own(path, ownership);
    return;
  }
  const result = resultOf(edit, text, args);
  if (result === null) return;
  const { makedirs = false } = args;
  await makeParents(
    { ...said({ dir_mode: args.dir_mode }), ...ownership, name: path, makedirs },
    host,
  );
  if (status !== null) await backUp(args, path, host);
  await host.writeFile(path, Buffer.from(result, 'utf8'), ownership);
  if (path.includes('/systemd/')) host.changed('services');
}
