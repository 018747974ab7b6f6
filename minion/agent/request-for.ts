import type { RunRequest } from '../../protocol/run-request.ts';
import type { JournalEntry, Prepared } from '../agent-files.ts';

/** Where a run is to be made. */
export interface Place {
  readonly minion: string;
  readonly stateDirectory: string;
  readonly blobDirectory: string;
}

/** All that the child process of a run is given. */
export function requestFor(
  { minion, stateDirectory, blobDirectory }: Place,
  { options }: JournalEntry,
  { groups, revision, manifest, pillar }: Prepared,
): RunRequest {
  return {
    options,
    minion: { id: minion, groups },
    revision,
    manifest,
    pillar,
    blobDirectory,
    stateDirectory,
  };
}
