import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { fromKept, keptBytes, toKept } from '../../../shared/kept-json.ts';
import type { Piece } from './rehearse.ts';

/** What is to be put back if a daemon does not come up on what takes its place. */
export interface Before {
  readonly pieces: ReadonlyMap<string, Piece>;
  /** What the registry said then. */
  readonly took: string | null;
}

const pieceSchema = z.union([
  z.null(),
  z.strictObject({ kind: z.literal('symlink'), to: z.string() }),
  z.strictObject({
    kind: z.literal('file'),
    content: keptBytes,
    mode: z.string(),
    user: z.string(),
    group: z.string(),
  }),
]);

type KeptPiece = z.infer<typeof pieceSchema>;

const keptSchema = z.strictObject({
  pieces: z.array(z.tuple([z.string(), pieceSchema])),
  took: z.string().nullable(),
  /** Of what takes their place, by path: what nobody else has written. */
  placed: z.array(z.tuple([z.string(), z.string()])),
});

/**
 * How it is before these pieces take its place, on disk when it returns. If a run was killed before the daemon had come
 * up on what it had placed, and that is what stands there, it is how it was before that.
 */
export async function keepBefore(
  host: Host,
  mark: string,
  pieces: ReadonlyMap<string, Piece>,
): Promise<Before> {
  const now = await snapshot(host, [...pieces.keys()]);
  const earlier = fromKept(keptSchema, await host.kept(mark));
  const isLeft = earlier !== null && isMadeOf(now, earlier);
  const before = isLeft
    ? { pieces: new Map(earlier.pieces), took: earlier.took }
    : { pieces: now, took: await host.recall(mark) };
  const placed = [...pieces].map(([path, piece]): [string, string] => [path, printOf(piece)]);
  const kept = { pieces: [...before.pieces], took: before.took, placed };
  await host.keep(mark, toKept(keptSchema, kept));
  return before;
}

/** Whether all of it is what was placed, or what stood there before and nobody had come to. */
function isMadeOf(
  now: ReadonlyMap<string, Piece>,
  { pieces, placed }: z.infer<typeof keptSchema>,
): boolean {
  const [before, after] = [new Map(pieces), new Map(placed)];
  return [...now].every(([path, piece]) => {
    const print = printOf(piece);
    const isKnown = before.has(path) && after.has(path);
    return isKnown && (print === after.get(path) || print === printOf(before.get(path) ?? null));
  });
}

function printOf(piece: Piece): string {
  if (piece === null) return 'none';
  const content = piece.kind === 'symlink' ? piece.to : piece.content;
  return `${piece.kind} ${createHash('sha256').update(content).digest('hex')}`;
}

/** How it is at these paths. Throws where something is that cannot be put back. */
export async function snapshot(
  host: HostView,
  paths: readonly string[],
): Promise<ReadonlyMap<string, KeptPiece>> {
  const pieces = new Map<string, KeptPiece>();
  for (const path of paths) pieces.set(path, await pieceAt(host, path));
  return pieces;
}

async function pieceAt(host: HostView, path: string): Promise<KeptPiece> {
  const status = await host.status(path);
  if (status === null) return null;
  const to = await host.readLink(path);
  if (to !== null) return { kind: 'symlink', to };
  const content = status.kind === 'file' ? await host.readFile(path) : null;
  if (content !== null) {
    const { mode, user, group } = status;
    return { kind: 'file', content, mode, user, group };
  }
  throw new ConductorError('STATE_REFUSED', `Cannot replace "${path}": it is no regular file`, {
    inTheWay: [`path:${path}`],
  });
}
