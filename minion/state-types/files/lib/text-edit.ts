import type { z } from 'zod';
import type { Change } from '../../../../shared/change.ts';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Surroundings } from '../../../../shared/surroundings.ts';
import { defineState } from '../../../engine/state-type.ts';
import type { StateType } from '../../../engine/state-type.ts';
import type { FileStatus, Host, HostView } from '../../../host/host.ts';
import {
  followLinks,
  needParents,
  ownershipOf,
  refuseKind,
  wantedOwnership,
} from '../../lib/ownership.ts';
import { ownersOf, parentsOf } from '../../lib/resources.ts';
import { said } from '../../lib/said.ts';
import { backUp, checkContent } from './file-safety.ts';
import type { Backup } from './file-safety.ts';
import { digestOf } from './hashes.ts';

/** How a file is that is edited. Of its text there is the SHA-256 only, if it is not to be shown. */
export type EditedFile = {
  content?: string;
  sha256?: string;
  user: string;
  group: string;
  mode: string;
};

/** What every edit can be told; which of these a type takes is up to its schema. */
export interface EditArgs {
  readonly name: string;
  readonly backup: Backup;
  readonly show_changes: boolean;
  readonly makedirs?: boolean;
  readonly user?: string;
  readonly group?: string;
  readonly mode?: string;
  readonly file_mode?: string;
  readonly dir_mode?: string;
  readonly check_cmd?: string | readonly string[];
  readonly tmp_ext?: string;
}

/** A state type whose every instance is one text made of another. */
export interface Edit<Args extends EditArgs> {
  readonly name: `file.${string}`;
  readonly schema: z.ZodType<Args>;
  readonly example: string;
  readonly treeFiles?: readonly string[];
  readonly treeFileLists?: readonly string[];
  readonly pillarPaths?: readonly string[];
  knowing?(args: Args, surroundings: Surroundings): Args;
  /**
   * What the text is to become, with `\n` for every end of a line; `text` is `null` if there is no
   * file, and so is the answer if there need not be one. Pure; refuses with `refuseEdit`.
   */
  edit(text: string | null, args: Args): string | null;
}

/** Says in one way why a text cannot be edited. */
export function refuseEdit({ name }: { readonly name: string }, why: string): never {
  throw new ConductorError('STATE_REFUSED', `Cannot edit "${name}": ${why}`);
}

/**
 * Makes a state type of an edit. What is no text is refused, as is an edit that would change its
 * own result again; line ends, a byte order mark, owners and mode stay as they are.
 */
export function defineEdit<Args extends EditArgs>(edit: Edit<Args>): StateType {
  const { name, schema, example, treeFiles, treeFileLists, pillarPaths } = edit;
  const knowing = edit.knowing?.bind(edit);
  return defineState({
    name,
    schema,
    example,
    ...said({ treeFiles, treeFileLists, pillarPaths, knowing }),
    textAttribute: 'content',
    isRelative: true,
    provides: (args: Args) => [`path:${args.name}`],
    needs: (args: Args) => [`path:${args.name}`, ...parentsOf(args.name), ...ownersOf(said(args))],
    read: async (args: Args, host: HostView) => read(args, host),
    want: async (args: Args, host: HostView) => want(edit, args, host),
    apply: async (change: Change<EditedFile>, args: Args, host: Host) =>
      apply(edit, change, args, host),
  });
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

const MOST_BYTES = 32 * 1024 * 1024;

function textOf(args: EditArgs, bytes: Uint8Array): string {
  if (bytes.length > MOST_BYTES) refuseEdit(args, 'it is larger than 32 MiB');
  if (bytes.includes(0)) refuseEdit(args, 'it is no text: it holds a NUL byte');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refuseEdit(args, 'it is no UTF-8 text');
  }
}

async function read(args: EditArgs, host: HostView): Promise<EditedFile | null> {
  const { status, text } = await locate(args, host);
  if (status === null || text === null) return null;
  const { user, group, mode } = status;
  return { ...shown(text, args), user, group, mode };
}

function shown(text: string, { show_changes: show }: EditArgs) {
  return show ? { content: text } : { sha256: digestOf(Buffer.from(text), 'sha256') };
}

async function want<Args extends EditArgs>(
  edit: Edit<Args>,
  args: Args,
  host: HostView,
): Promise<Partial<EditedFile> | null> {
  const { text } = await locate(args, host);
  const result = resultOf(edit, text, args);
  if (result === null) return null;
  return { ...shown(result, args), ...(await wantedOwnership(ownersArgs(args), host)) };
}

function ownersArgs({ user, group, mode, file_mode: fileMode = mode }: EditArgs) {
  return said({ user, group, mode: fileMode });
}

function resultOf<Args extends EditArgs>(
  edit: Edit<Args>,
  text: string | null,
  args: Args,
): string | null {
  const once = edited(edit, text, args);
  if (once === null || once === text || edited(edit, once, args) === once) return once;
  return refuseEdit(
    args,
    'the edit would change its own result again at every run (let the pattern tell what is done already)',
  );
}

/** The edit sees `\n` only; the file keeps what it had. */
function edited<Args extends EditArgs>(
  { edit }: Pick<Edit<Args>, 'edit'>,
  text: string | null,
  args: Args,
): string | null {
  if (text === null) return edit(null, args);
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const body = text.slice(mark.length);
  const isCrlf = body.includes('\r\n') && !/(?<!\r)\n/u.test(body);
  const result = edit(isCrlf ? body.replaceAll('\r\n', '\n') : body, args);
  if (result === null) return null;
  return mark + (isCrlf ? result.replaceAll(/\r?\n/gu, '\r\n') : result);
}

async function apply<Args extends EditArgs>(
  edit: Edit<Args>,
  change: Change<EditedFile>,
  args: Args,
  host: Host,
): Promise<void> {
  if (change.action === 'remove') return;
  const { path, status, text } = await locate(args, host);
  const ownership = ownershipOf(ownersArgs(args));
  if (change.action === 'update' && (change.to.content ?? change.to.sha256) === undefined) {
    await host.own(path, ownership);
    return;
  }
  const result = resultOf(edit, text, args);
  if (result === null) return;
  const { makedirs = false } = args;
  await needParents(
    { ...said({ dir_mode: args.dir_mode }), ...ownership, name: path, makedirs },
    host,
  );
  const bytes = Buffer.from(result, 'utf8');
  await checkContent(args, bytes, host);
  if (status !== null) await backUp(args, path, host);
  await host.writeFile(path, bytes, ownership);
  if (path.includes('/systemd/')) host.changed('services');
}
