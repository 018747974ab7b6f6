import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { treeFromBlobs } from '../../language/source.ts';
import type { Tree } from '../../language/tree.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { ConductorError, systemCode } from '../../shared/errors.ts';
import { createAtRest } from '../host/at-rest.ts';

/** The minion's share of a revision, from its blobs. A blob that is not what it is named for is refused. */
export function treeOf({ revision, manifest, blobDirectory, blobKey }: RunRequest): Tree {
  const atRest = blobKey === undefined ? null : createAtRest(nodeCrypto, blobKey);
  return treeFromBlobs(revision, manifest, (sha256) => {
    const stored = readBlob(blobDirectory, sha256);
    const blob = atRest === null ? stored : atRest.open(stored);
    if (blob !== null && createHash('sha256').update(blob).digest('hex') === sha256) return blob;
    throw new ConductorError('SOURCE_MISSING', `Cannot use blob "${sha256}": it is damaged`);
  });
}

function readBlob(directory: string, sha256: string): Uint8Array {
  try {
    return readFileSync(join(directory, sha256));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw new ConductorError('SOURCE_MISSING', `Cannot use blob "${sha256}": it is not there`);
  }
}
