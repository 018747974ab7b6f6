import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { contentsDirectory, sealContents } from '../engine/drift/contents.ts';
import { openMemory } from '../engine/drift/memory.ts';
import type { Memory, MemoryOptions } from '../engine/drift/memory.ts';
import { createAtRest } from '../host/at-rest.ts';
import type { AtRest } from '../host/at-rest.ts';

/** What a run knows of those before it. */
export function memoryOf(
  { stateDirectory, options: { dryRun }, blobKey }: RunRequest,
  means: Pick<MemoryOptions, 'onCorrupt' | 'log'>,
): Memory {
  const atRest = blobKey === undefined ? null : createAtRest(nodeCrypto, blobKey);
  if (!dryRun && atRest !== null) sealOld(stateDirectory, atRest, means.log);
  return openMemory(stateDirectory, { dryRun, atRest, ...means });
}

/** That they could not be sealed is no failure of the run: the next one tries again. */
function sealOld(stateDirectory: string, atRest: AtRest, log: Logger): void {
  try {
    sealContents(contentsDirectory(stateDirectory), atRest);
  } catch (error) {
    log.warn({ problem: messageOf(error) }, 'Old contents could not be sealed');
  }
}
