import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { treeFromBlobs } from '../../language/source.ts';
import type { Tree } from '../../language/tree.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { ConductorError, systemCode } from '../../shared/errors.ts';

/** The minion's share of a revision, from its blobs. A blob that is not what it is named for is refused. */
export function treeOf({ revision, manifest, blobDirectory }: RunRequest): Tree {
  return treeFromBlobs(revision, manifest, (sha256) => {
    const blob = readBlob(blobDirectory, sha256);
    if (createHash('sha256').update(blob).digest('hex') === sha256) return blob;
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
