import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { openMemory } from '../engine/drift/memory.ts';
import type { Memory, MemoryOptions } from '../engine/drift/memory.ts';
import { createAtRest } from '../host/at-rest.ts';

/** What a run knows of those before it. */
export function memoryOf(
  { stateDirectory, options: { dryRun }, blobKey }: RunRequest,
  means: Pick<MemoryOptions, 'onCorrupt' | 'log'>,
): Memory {
  const atRest = blobKey === undefined ? null : createAtRest(nodeCrypto, blobKey);
  return openMemory(stateDirectory, { dryRun, atRest, ...means });
}
