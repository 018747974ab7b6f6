import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ConductorError, messageOf } from '../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../host/host.ts';
import { lastWords } from './ask.ts';
import { rehearse } from './rehearse.ts';
import type { Piece } from './rehearse.ts';
import { keepBefore, snapshot } from './staged-before.ts';
import type { Before } from './staged-before.ts';

/** A change of some files of a daemon's configuration. */
export interface Replacement {
  /** For messages: `the nginx site "shop"`. */
  readonly what: string;
  /** The whole configuration: what is checked as a set. */
  readonly directory: string;
  /** By path below the directory; put in place in this order. */
  readonly pieces: ReadonlyMap<string, Piece>;
  /**
   * Accepts or refuses the whole configuration; sees the staged one at its real path. `null` if the
   * caller has made sure already, or `take` does.
   */
  readonly check: Argv | null;
  /** Makes the daemon use what is in the directory now; throws unless it came up on it. */
  readonly take: () => Promise<void>;
  /** Makes it use the old files again; `wasThere` tells whether there were any. */
  readonly takeBack: (before: { wasThere: boolean }) => Promise<void>;
  /** Under this name the registry remembers what the daemon has taken. */
  readonly mark: string;
  /** What it has taken then; `null` forgets. */
  readonly taken: string | null;
  /** What the registry says until then; nothing if absent. */
  readonly pending?: string;
}

/**
 * Replaces a part of a live configuration without ever leaving the daemon on a broken one. The whole
 * configuration is checked with the change in it before anything is touched; if the daemon does not
 * come up on it, the old files are put back and the daemon takes them again, by the next run if this one is killed in
 * between. Either way a failure tells both facts.
 */
export async function replaceConfiguration(host: Host, replacement: Replacement): Promise<void> {
  const { pieces, mark, taken, pending = null } = replacement;
  await refuseConfiguration(replacement, host);
  const before = await keepBefore(host, mark, pieces);
  const took = await host.recall(mark);
  await host.remember(mark, pending);
  await placeAll(host, replacement, took);
  try {
    await replacement.take();
  } catch (error) {
    throw await putBack(host, replacement, before, error);
  }
  await host.keep(mark, null);
  await host.remember(mark, taken);
}

/** Whether the daemon has taken the configuration that has this fingerprint. */
export async function hasTaken(host: HostView, mark: string, taken: string): Promise<boolean> {
  return (await host.recall(mark)) === taken;
}

/** The part of a replacement that can be judged before anything is done. */
export interface Judged extends Pick<Replacement, 'what' | 'directory' | 'pieces' | 'check'> {
  /** Why the answer of the check is a refusal; `null` if it is none. By default any exit code but 0 is one. */
  readonly complaint?: (output: Output) => string | null;
  readonly hasOwnTmp?: boolean;
  /** Who judges, where the check is a script. */
  readonly judge?: string;
}

/**
 * Asks who judges a configuration what they say of it with a change in it. Nothing is written, so a plan can ask.
 * Throws CHECK_FAILED if it is refused.
 */
export async function refuseConfiguration(judged: Judged, host: HostView): Promise<void> {
  const { what, check, complaint = complaintOf } = judged;
  const judge = judged.judge ?? (check === null ? '' : nameOf(check));
  if (check === null) return;
  await needPlaces(judged, host);
  const output = await rehearse({ ...judged, check }, host);
  if (output.exitCode === 127) throw noProgram(what, judge);
  const why = complaint(output);
  if (why === null) return;
  throw new ConductorError(
    'CHECK_FAILED',
    `Cannot configure ${what}: ${judge} refuses it, so the old configuration stays: ${why}`,
    { output: lastWords(output, 40) },
  );
}

function complaintOf(output: Output): string | null {
  return output.exitCode === 0 ? null : lastWords(output);
}

/** The program that judges, whatever it is started by. */
function nameOf(check: Argv): string {
  return check[check[0] === 'setpriv' ? check.indexOf('--') + 1 : 0] ?? check[0];
}

/** A link on the way to a file would lead out of the directory. */
async function needPlaces({ what, directory, pieces }: Judged, host: HostView): Promise<void> {
  const refuse = (why: string, lacks: readonly string[]): never => {
    throw new ConductorError('STATE_REFUSED', `Cannot configure ${what}: ${why}`, { lacks });
  };
  if ((await host.status(directory))?.kind !== 'directory')
    refuse(`there is no directory "${directory}"`, [`path:${directory}`]);
  for (const path of pieces.keys()) {
    for (let at = posix.dirname(path); at.length > directory.length; at = posix.dirname(at)) {
      const kind = (await host.status(at))?.kind ?? 'directory';
      if (kind !== 'directory') refuse(`"${at}" is no directory`, [`path:${at}`]);
    }
  }
}

function noProgram(what: string, program: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot configure ${what}: there is no program "${program}" on this host`,
    { lacks: [`path:${program}`, `package:${program}`] },
  );
}

/** All of them, or none: then the registry says what it `took` again. */
async function placeAll(
  host: Host,
  { what, pieces, mark }: Replacement,
  took: string | null,
): Promise<void> {
  const now = await snapshot(host, [...pieces.keys()]);
  try {
    await place(host, pieces);
  } catch (error) {
    const stands = await standing(async () => {
      await restore(host, now);
      await host.remember(mark, took);
    });
    if (!(error instanceof ConductorError)) throw error;
    const message = `Cannot configure ${what}: ${error.message}; ${stands}`;
    throw new ConductorError(error.code, message, { ...error.details, cause: error });
  }
}

async function standing(undo: () => Promise<void>): Promise<string> {
  try {
    await undo();
    return 'the old configuration stays';
  } catch (error) {
    return `and what is placed already could not be taken away again: ${messageOf(error)}`;
  }
}

/** What is as it was is not touched: it may be what could not be replaced. */
async function restore(host: Host, pieces: ReadonlyMap<string, Piece>): Promise<void> {
  const now = await snapshot(host, [...pieces.keys()]);
  const changed = [...pieces].filter(([path, piece]) => !isDeepStrictEqual(now.get(path), piece));
  await place(host, new Map(changed.toReversed()));
}

async function place(host: Host, pieces: ReadonlyMap<string, Piece>): Promise<void> {
  for (const [path, piece] of pieces) {
    if (piece === null) await host.remove(path);
    else if (piece.kind === 'symlink') await host.link(path, piece.to);
    else await placeFile(host, path, piece);
  }
}

/** A link at the path of a file is replaced, never written through. */
async function placeFile(host: Host, path: string, piece: FilePiece): Promise<void> {
  if ((await host.status(path))?.kind === 'symlink') await host.remove(path);
  const { content, mode, user = 'root', group = 'root' } = piece;
  await host.writeFile(path, content, { user, group, mode });
}

type FilePiece = Extract<Piece, { kind: 'file' }>;

async function putBack(
  host: Host,
  { what, takeBack, mark }: Replacement,
  before: Before,
  error: unknown,
): Promise<ConductorError> {
  const why = messageOf(error);
  const wasThere = [...before.pieces.values()].some((piece) => piece !== null);
  try {
    await place(host, new Map([...before.pieces].toReversed()));
    await takeBack({ wasThere });
    await host.remember(mark, before.took);
    await host.keep(mark, null);
  } catch (second) {
    return new ConductorError(
      'CHECK_FAILED',
      `Cannot configure ${what}: ${why}; and the old configuration could not be taken up again: ${messageOf(second)}`,
      { cause: error },
    );
  }
  return new ConductorError(
    'CHECK_FAILED',
    `Cannot configure ${what}: ${why}; ${wasThere ? 'the old configuration is back and in use' : 'it has been taken away again'}`,
    { cause: error },
  );
}
