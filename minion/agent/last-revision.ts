import { join } from 'node:path';
import { preparedSchema } from '../agent-files.ts';
import type { Prepared } from '../agent-files.ts';
import type { AtRest } from '../host/at-rest.ts';
import { readOwnBytes, writeDurably } from '../host/durable-file.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { putAside, readOwn, removeOwn } from './files.ts';

/** The revision and the pillar that the master gave last, sealed on disk: what this minion converges on without it. */

export interface LastPlace {
  readonly stateDirectory: string;
  readonly atRest: AtRest;
  readonly log: Logger;
}

/** `null` if there is none; one that is not whole is put aside, and never converged on. */
export function readLast(place: LastPlace): Prepared | null {
  const path = sealedPath(place);
  const stored = readOwnBytes(path);
  if (stored.status === 'missing') return takeOver(place);
  const found = stored.status === 'ok' ? opened(place.atRest, stored.value) : stored.why;
  if (typeof found !== 'string') return found;
  putAside(path, found, place.log);
  return null;
}

export function keepLast({ stateDirectory, atRest }: LastPlace, prepared: Prepared): void {
  const text = Buffer.from(JSON.stringify(prepared satisfies Prepared));
  writeDurably(sealedPath({ stateDirectory }), atRest.seal(text));
  removeOwn(plainPath({ stateDirectory }));
}

/** Or why it cannot be. */
function opened(atRest: AtRest, sealed: Uint8Array): Prepared | string {
  const text = atRest.open(sealed);
  if (text === null) return 'it is damaged, or was sealed with another key';
  try {
    return preparedSchema.parse(JSON.parse(Buffer.from(text).toString('utf8')));
  } catch (error) {
    return messageOf(error);
  }
}

/** What an older version has kept in plain is sealed as soon as it is seen. */
function takeOver(place: LastPlace): Prepared | null {
  const plain = readOwn(plainPath(place), (value) => preparedSchema.parse(value), place.log);
  if (plain !== null) keepLast(place, plain);
  return plain;
}

function sealedPath({ stateDirectory }: Pick<LastPlace, 'stateDirectory'>): string {
  return join(stateDirectory, 'revision.sealed');
}

function plainPath({ stateDirectory }: Pick<LastPlace, 'stateDirectory'>): string {
  return join(stateDirectory, 'revision.json');
}
