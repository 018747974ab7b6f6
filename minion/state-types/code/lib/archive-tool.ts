import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../../host/host.ts';
import { downloadFirst, lookForFirst, wantedContent } from '../../files/lib/file-source.ts';
import { digestOf, parseDigest, showDigest } from '../../files/lib/hashes.ts';
import { gidOf, uidOf } from '../../lib/accounts.ts';
import { failed } from '../../lib/ask.ts';
import { stripOf } from '../archive-schema.ts';
import type { ArchiveArgs } from '../archive-schema.ts';
import { ARCHIVE_SCRIPT } from './archive-script.ts';

const UNPACK_TIMEOUT_MS = 1_800_000;

const report = z.strictObject({
  /** The first letter of the kind and the path below the directory. */
  members: z.array(z.tuple([z.string(), z.string()])),
  missing: z.array(z.string()),
  stray: z.tuple([z.int(), z.int()]).nullable(),
  differing: z.array(z.string()),
});
const told = z.union([z.strictObject({ refused: z.string() }), report]);
export type Report = z.infer<typeof report>;
export type Members = Report['members'];

/** The archive, as far as it has to be known. */
export interface Archive {
  /** Tells it from others: `sha256=…`. */
  readonly digest: string;
  /** Whether it is on this host or in the tree already. */
  readonly isHere: boolean;
  /** Throws what a download would throw, as far as that can be told before it. */
  look(): Promise<void>;
  /** Downloads it if it must be. */
  bytes(): Promise<Uint8Array>;
}

/** What is to be unpacked; downloads nothing whose digest is known. Throws SOURCE_MISSING. */
export async function archiveOf(args: ArchiveArgs, host: HostView): Promise<Archive> {
  const wanted = await wantedContent({ ...args, contents_newline: false }, host);
  if (wanted.from === 'web') {
    const { urls, digest } = wanted;
    return {
      digest: showDigest(digest),
      isHere: false,
      look: () => lookForFirst(urls, host),
      bytes: () => downloadFirst(urls, digest, host),
    };
  }
  const bytes = wanted.from === 'here' ? wanted.bytes : new Uint8Array();
  const digest = typeof args.source_hash === 'string' ? parseDigest(args.source_hash) : null;
  const is = digestOf(bytes, digest?.algorithm ?? 'sha256');
  if (digest === null || is === showDigest(digest))
    return { digest: is, isHere: true, look: async () => undefined, bytes: async () => bytes };
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot use the archive for "${args.name}": it has ${is}, not ${showDigest(digest)}`,
    { lacks: sourcesOf(args) },
  );
}

/** The paths on the host that it may come from, as resources. */
export function sourcesOf({ source }: Pick<ArchiveArgs, 'source'>): string[] {
  return [source].flat().flatMap((from) => (typeof from === 'string' ? [`path:${from}`] : []));
}

/** How what is in the directory differs from what the archive holds. */
export async function compareWith(
  archive: Archive,
  args: ArchiveArgs,
  host: HostView,
): Promise<Report> {
  const asked = { do: 'list', at: args.name, compare: args.overwrite };
  return talk(await asking(asked, args, host), await archive.bytes(), args, (argv, options) =>
    host.query(argv, options),
  );
}

/** How what is in the directory differs from a list of what was unpacked. */
export async function lookFor(
  members: Members,
  args: ArchiveArgs,
  host: HostView,
): Promise<Report> {
  const asked = await asking({ do: 'look', at: args.name, members }, args, host);
  return talk(asked, new Uint8Array(), args, (argv, options) => host.query(argv, options));
}

/** Unpacks into an empty directory that nobody else can enter; says what was in the archive. */
export async function unpackInto(
  into: string,
  archive: Archive,
  args: ArchiveArgs,
  host: Host,
): Promise<Members> {
  const asked = await asking({ do: 'unpack', into }, args, host);
  const owner = { uid: Math.max(0, asked.uid), gid: Math.max(0, asked.gid) };
  const { members } = await talk(
    { ...asked, ...owner },
    await archive.bytes(),
    args,
    (argv, options) => host.run(argv, options),
  );
  return members;
}

/** Under this name the registry remembers what was unpacked into a directory. */
export function markOf(name: string): string {
  return `archive:${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
}

type Asked = Readonly<Record<string, unknown>>;

async function asking(asked: Asked, args: ArchiveArgs, host: HostView) {
  const { user, group, password, archive_format: format } = args;
  return {
    ...asked,
    strip: stripOf(args),
    toplevel: args.enforce_toplevel,
    perms: args.extract_perms,
    uid: user === undefined ? -1 : await idOf(await uidOf(user, host), user, args),
    gid: group === undefined ? -1 : await idOf(await gidOf(group, host), group, args),
    ...(password === undefined ? {} : { password }),
    ...(format === undefined ? {} : { format }),
  };
}

async function idOf(id: number | null, name: string, args: ArchiveArgs): Promise<number> {
  if (id !== null) return id;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot unpack into "${args.name}" for "${name}": there is no such account or group`,
    { lacks: [`user:${name}`, `group:${name}`] },
  );
}

async function talk(
  asked: Asked,
  archive: Uint8Array,
  { name, source }: ArchiveArgs,
  run: HostView['query'],
): Promise<Report> {
  const argv: Argv = ['python3', '-I', '-B', '-c', ARCHIVE_SCRIPT];
  const input = Buffer.concat([Buffer.from(`${JSON.stringify(asked)}\n`), archive]);
  const output = await run(argv, { input, timeoutMs: UNPACK_TIMEOUT_MS });
  if (output.exitCode !== 0) throw failed(`unpack the archive into "${name}"`, argv, output);
  const answer = parseAnswer(output);
  if (!('refused' in answer)) return answer;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot unpack the archive into "${name}": ${answer.refused}`,
    { lacks: sourcesOf({ source }) },
  );
}

function parseAnswer({ stdout }: Output): z.infer<typeof told> {
  return told.parse(JSON.parse(inflateSync(Buffer.from(stdout, 'base64')).toString()));
}
