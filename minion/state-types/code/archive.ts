import { posix } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { groupNameOf, loginOf } from '../lib/accounts.ts';
import { refuseKind, wantedOwnership } from '../lib/ownership.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { archiveSchema } from './archive-schema.ts';
import type { ArchiveArgs } from './archive-schema.ts';
import { guardKinds, guardPlace, putInPlace, STAGES } from './lib/archive-place.ts';
import {
  archiveOf,
  compareWith,
  lookFor,
  markOf,
  sourcesOf,
  unpackInto,
} from './lib/archive-tool.ts';
import type { Archive, Members, Report } from './lib/archive-tool.ts';
import { makeParents } from './lib/own-directory.ts';

type Extracted = {
  source_hash?: string | null;
  /** Paths of the archive that are not in the directory. */
  missing?: readonly string[];
  /** Files whose content is another than in the archive. */
  differing?: readonly string[];
  user?: string;
  group?: string;
  if_missing?: string;
};

/** Of many files this many are named. */
const FILES_NAMED = 20;

export const archiveExtracted = defineState<ArchiveArgs, Extracted>({
  name: 'archive.extracted',
  schema: archiveSchema,
  example: `/opt/solr:
  archive.extracted:
    source: https://archive.apache.org/dist/lucene/solr/8.11.2/solr-8.11.2.tgz
    source_hash: sha256=54d6ebd392942f0798a60d50a910e26794b2c344ee97c2d9b50e678a7066d3a6
    strip: 1
    user: solr
    group: solr
`,
  treeFiles: ['source', 'source_hash'],
  provides: ({ name }) => [`path:${name}`],
  needs: ({ name, source, user, group }) => [
    'package:python3',
    ...sourcesOf({ source }),
    ...parentsOf(name),
    ...ownersOf(said({ user, group })),
  ],
  read,
  want,
  refuses,
  apply,
});

async function read(args: ArchiveArgs, host: HostView): Promise<Extracted | null> {
  const { name, if_missing: other } = args;
  if (other !== undefined)
    return (await host.status(other)) === null ? null : { if_missing: other };
  const status = await host.status(name);
  if (status === null) return null;
  if (status.kind !== 'directory') refuseKind(name, status, 'a directory');
  const known = await recalled(name, host);
  const isCutShort = (await host.status(stageOf(name))) !== null;
  const { digest, found } = await lookThrough(known, args, host);
  return { source_hash: isCutShort ? null : digest, ...(await shown(found, args, host)) };
}

async function lookThrough(
  known: Known | null,
  args: ArchiveArgs,
  host: HostView,
): Promise<{ digest: string | null; found: Report }> {
  if (known !== null && !args.overwrite)
    return { digest: known.digest, found: await lookFor(known.members, args, host) };
  const archive = await archiveOf(args, host);
  const found = await compareWith(archive, args, host);
  const isWhole = found.missing.length === 0 && found.differing.length === 0;
  // Somebody else has unpacked it: what is there is taken over as it is.
  return { digest: known?.digest ?? (isWhole ? archive.digest : null), found };
}

async function shown(
  { missing, differing, stray }: Report,
  args: ArchiveArgs,
  host: HostView,
): Promise<Extracted> {
  const owners = await wantedOwnership(args, host);
  const [uid, gid] = (stray ?? []).map(String);
  return {
    missing: named(missing),
    differing: named(differing),
    ...(uid === undefined ? owners : { user: await loginOf(uid, host) }),
    ...(gid === undefined ? {} : { group: await groupNameOf(gid, host) }),
  };
}

function named(paths: readonly string[]): string[] {
  const more = paths.length - FILES_NAMED;
  return more <= 0 ? [...paths] : [...paths.slice(0, FILES_NAMED), `and ${more} more`];
}

async function want(args: ArchiveArgs, host: HostView): Promise<Partial<Extracted>> {
  if (args.if_missing !== undefined) return { if_missing: args.if_missing };
  const { digest } = await archiveOf(args, host);
  const isThere = (await host.status(args.name)) !== null;
  const isNew = args.source_hash_update || !isThere || (await recalled(args.name, host)) === null;
  return {
    ...(isNew ? { source_hash: digest } : {}),
    missing: [],
    ...(args.overwrite ? { differing: [] } : {}),
    ...(await wantedOwnership(args, host)),
  };
}

/** What is not here yet is looked through once it is. */
async function refuses(
  change: Change<Extracted>,
  args: ArchiveArgs,
  host: HostView,
): Promise<void> {
  await wantedOwnership(args, host);
  await guardPlace(args, host);
  const archive = await archiveOf(args, host);
  if (!isToUnpack(change)) return;
  if (!archive.isHere) return archive.look();
  const { members } = await compareWith(archive, { ...args, overwrite: false }, host);
  await guardKinds(members, args, host);
}

function isToUnpack(change: Change<Extracted>): boolean {
  if (change.action !== 'update') return change.action === 'create';
  const { source_hash: hash, missing, differing } = change.to;
  return hash !== undefined || missing !== undefined || differing !== undefined;
}

async function apply(change: Change<Extracted>, args: ArchiveArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const archive = await archiveOf(args, host);
  if (isToUnpack(change)) return unpack(archive, args, host);
  const known = await recalled(args.name, host);
  const members = known?.members ?? (await compareWith(archive, args, host)).members;
  for (const [, path] of members) {
    await host.own(posix.join(args.name, path), said({ user: args.user, group: args.group }));
  }
}

/** Looked through and unpacked aside: what is refused or cut short has touched nothing. */
async function unpack(archive: Archive, args: ArchiveArgs, host: Host): Promise<void> {
  const { name } = args;
  const stage = stageOf(name);
  await makeParents(host, stage);
  await host.remove(stage);
  try {
    await host.makeDirectory(stage, { mode: '0700' });
    await host.makeDirectory(`${stage}/tree`, said({ user: args.user, group: args.group }));
    const members = await unpackInto(`${stage}/tree`, archive, args, host);
    await guardKinds(members, args, host);
    await putInPlace(`${stage}/tree`, args, host);
    await host.remember(markOf(name), packed({ digest: archive.digest, members }));
  } finally {
    await host.remove(stage);
  }
}

/** As long as it is there, unpacking has not come to its end. */
function stageOf(name: string): string {
  return posix.join(STAGES, markOf(name).replace(':', '-'));
}

const known = z.strictObject({
  digest: z.string(),
  members: z.array(z.tuple([z.string(), z.string()])),
});

interface Known {
  readonly digest: string;
  readonly members: Members;
}

function packed(value: Known): string {
  return deflateSync(JSON.stringify(value), { level: 9 }).toString('base64');
}

/** What was unpacked into a directory last; `null` if that is not known. */
async function recalled(name: string, host: HostView): Promise<Known | null> {
  const text = await host.recall(markOf(name));
  if (text === null) return null;
  return known.parse(JSON.parse(inflateSync(Buffer.from(text, 'base64')).toString()));
}
