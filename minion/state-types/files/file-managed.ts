import { posix } from 'node:path';
import type { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { FileStatus, Host, HostView, Ownership } from '../../host/host.ts';
import { fileManagedSchema } from './file-managed-schema.ts';
import { attributesOf, refuseUnmarkable, setAttributes, unlock } from './lib/file-attributes.ts';
import { backUp, checkContent } from './lib/file-safety.ts';
import { downloadFirst, lookForFirst, wantedContent } from './lib/file-source.ts';
import type { WantedContent } from './lib/file-source.ts';
import { digestOf, sha256Of, showDigest } from './lib/hashes.ts';
import {
  followLinks,
  makeParents,
  ownershipOf,
  refuseKind,
  wantedOwnership,
} from '../lib/ownership.ts';
import type { OwnerArgs } from '../lib/ownership.ts';
import { refusePlace } from '../lib/places.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { closed } from '../lib/secrecy.ts';
import { managedRewriting, managedSettled } from './lib/managed-settled.ts';
import { asText } from './lib/text.ts';

/** How one file is. Of its content there is the text, a digest where it is not shown, or the one that was asked for. */
export type ManagedFile = {
  content?: string;
  digest?: string;
  source_hash?: string;
  user: string;
  group: string;
  mode: string;
  /** Letters of chattr, if they are asked for. */
  attrs?: string;
};

type Args = z.infer<typeof fileManagedSchema>;
type Content = Pick<ManagedFile, 'content' | 'digest' | 'source_hash'>;

/** The path that is really managed, and what stands there; `null` where a file may be made. */
async function locate(
  { name, follow_symlinks: follow }: Args,
  host: HostView,
): Promise<{ path: string; status: FileStatus | null }> {
  const path = follow ? await followLinks(name, host) : name;
  const status = await host.status(path);
  if (status === null || status.kind === 'symlink') return { path, status: null };
  if (status.kind !== 'file') refuseKind(path, status, 'a file');
  return { path, status };
}

async function read(args: Args, host: HostView): Promise<ManagedFile | null> {
  const { path, status } = await locate(args, host);
  if (status === null) return null;
  const { user, group, mode } = status;
  const wanted = await wantedContent(args, host);
  const bytes = wanted.from === 'nothing' ? null : await host.readFile(path);
  const content = bytes === null ? {} : describe(bytes, wanted, args);
  const attrs = args.attrs === undefined ? undefined : await attributesOf(path, host);
  return { ...content, user, group, mode, ...said({ attrs }) };
}

/** Content in the form in which it is compared with the wanted one. */
function describe(bytes: Uint8Array, wanted: WantedContent, { show_changes: show }: Args): Content {
  if (wanted.from === 'web') return { source_hash: digestOf(bytes, wanted.digest.algorithm) };
  const digest = sha256Of(bytes);
  const isOpen = wanted.from === 'here' && wanted.guarded === undefined;
  const isShown = show && isOpen && asText(wanted.bytes) !== null;
  if (!isShown) return { digest };
  return { content: asText(bytes) ?? `(no text: ${bytes.length} bytes, SHA-256 ${digest})\n` };
}

async function want(args: Args, host: HostView): Promise<Partial<ManagedFile> | null> {
  const { status } = await locate(args, host);
  if (status === null && !args.create) return null;
  if (status !== null && !args.replace) return ownersFor(args, null, host);
  const wanted = await wantedContent(args, host);
  const owners = await ownersFor(args, wanted, host);
  if (wanted.from === 'nothing') return owners;
  if (wanted.from === 'web') return { source_hash: showDigest(wanted.digest), ...owners };
  return { ...describe(wanted.bytes, wanted, args), ...owners };
}

/** `keep` asks for the permissions of the source: on the host, or in the tree. */
async function ownersFor(args: Args, wanted: WantedContent | null, host: HostView) {
  const { attrs } = args;
  return { ...(await wantedOwnership(ownersArgs(args, wanted), host)), ...said({ attrs }) };
}

function ownersArgs(args: Args, wanted: WantedContent | null): OwnerArgs {
  const guarded = wanted?.from === 'here' ? wanted.guarded : undefined;
  const { user, group, mode = guarded } = args;
  if (mode !== 'keep') return said({ user, group, mode });
  const kept = wanted?.from === 'here' ? wanted.mode : undefined;
  if (wanted !== null && kept === undefined) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot keep the mode of the source of "${args.name}": a download has none (say which in \`mode\`)`,
      { lacks: [] },
    );
  }
  return said({ user, group, mode: kept });
}

async function refuses(change: Change<ManagedFile>, args: Args, host: HostView): Promise<void> {
  if (change.action === 'remove') return;
  const place = await locate(args, host);
  const where = { name: place.path, makedirs: args.makedirs };
  if (args.attrs === undefined) await refusePlace(where, host);
  else await refuseUnmarkable(where, place.status !== null, host);
  if (!isReplaced(change.to, place)) return;
  const wanted = await wantedFor(place, args, host);
  if (wanted?.from === 'web') return lookForFirst(wanted.urls, host);
  if (args.check_cmd === undefined) return;
  if (wanted !== null) await checkContent(args, await bytesOf(wanted, host), host);
}

function isReplaced(to: Partial<ManagedFile>, { status }: Place): boolean {
  return status === null || (to.content ?? to.digest ?? to.source_hash) !== undefined;
}

async function apply(change: Change<ManagedFile>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const place = await locate(args, host);
  const { path, status } = place;
  const { attrs } = args;
  if (attrs !== undefined && status !== null) await unlock(path, host);
  if (isReplaced(change.to, place)) await replace(place, args, host);
  else await host.own(path, ownershipOf(ownersArgs(args, await wantedFor(place, args, host))));
  if (attrs !== undefined) await setAttributes(path, attrs, host);
  if (path.includes('/systemd/')) host.changed('services');
}

interface Place {
  readonly path: string;
  readonly status: FileStatus | null;
}

async function replace(place: Place, args: Args, host: Host): Promise<void> {
  const { path, status } = place;
  const wanted = await wantedFor(place, args, host);
  const owners = ownersArgs(args, wanted);
  const { makedirs, dir_mode: mode } = args;
  await makeParents({ ...owners, ...said({ dir_mode: mode }), makedirs, name: path }, host);
  const bytes = wanted === null ? new Uint8Array() : await bytesOf(wanted, host);
  if (wanted?.from === 'web') await checkContent(args, bytes, host);
  if (status !== null) await backUp(args, path, host);
  await put(path, bytes, ownershipOf(owners), host);
}

/** Nothing is wanted of the content of a file that keeps what it has. */
async function wantedFor(
  { status }: Place,
  args: Args,
  host: HostView,
): Promise<WantedContent | null> {
  return status === null || args.replace ? wantedContent(args, host) : null;
}

async function bytesOf(wanted: WantedContent, host: HostView): Promise<Uint8Array> {
  if (wanted.from === 'nothing') return new Uint8Array();
  if (wanted.from === 'here') return wanted.bytes;
  return downloadFirst(wanted.urls, wanted.digest, host);
}

/** A symbolic link that is not to be followed is replaced in one step, too. */
async function put(
  path: string,
  bytes: Uint8Array,
  ownership: Ownership,
  host: Host,
): Promise<void> {
  if ((await host.status(path))?.kind !== 'symlink') {
    await host.writeFile(path, bytes, ownership);
    return;
  }
  const beside = posix.join(posix.dirname(path), `.${posix.basename(path)}.conductor-new`);
  await host.writeFile(beside, bytes, ownership);
  await host.rename(beside, path);
}

export const fileManaged = defineState({
  name: 'file.managed',
  schema: fileManagedSchema,
  example: `/etc/motd:
  file.managed:
    contents: |
      This host is managed: changes by hand do not last.
    user: root
    group: root
    mode: "0644"
`,
  treeFiles: ['source', 'source_hash'],
  pillarPaths: ['contents_pillar'],
  textAttribute: 'content',
  digests: ['digest'],
  modeArgument: 'mode',
  knowing: (args: Args, { holdsSecret }: Surroundings): Args => (holdsSecret ? closed(args) : args),
  provides: ({ name }: Args) => [`path:${name}`],
  settles: managedSettled,
  rewrites: managedRewriting,
  needs: ({ name, user, group }: Args) => [...parentsOf(name), ...ownersOf(said({ user, group }))],
  read,
  want,
  refuses,
  apply,
});
