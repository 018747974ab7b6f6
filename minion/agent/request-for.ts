import type { Pause } from '../../protocol/pause.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import type { JournalEntry, Prepared } from '../agent-files.ts';

/** Where a run is to be made. */
export interface Place {
  readonly minion: string;
  readonly stateDirectory: string;
  readonly blobDirectory: string;
  /** What the blobs there are sealed with; they are plain if absent. */
  readonly blobKey?: string;
  /** Its masters, as far as it knows any by now; none if absent. */
  readonly masters?: (() => readonly string[]) | undefined;
  /** What holds scheduled runs back; nothing if absent. */
  readonly paused?: (() => Pause | null) | undefined;
}

/** All that the child process of a run is given. */
export function requestFor(
  { minion, stateDirectory, blobDirectory, blobKey, masters, paused }: Place,
  { options, queue, starts }: JournalEntry,
  { groups, revision, manifest, pillar }: Prepared,
): RunRequest {
  const pause = paused?.() ?? null;
  return {
    options,
    ...(queue === undefined ? {} : { queue }),
    ...(starts > 1 ? { starts } : {}),
    minion: { id: minion, groups },
    revision,
    manifest,
    pillar,
    blobDirectory,
    ...(blobKey === undefined ? {} : { blobKey }),
    stateDirectory,
    masters: [...(masters?.() ?? [])],
    ...(pause === null ? {} : { paused: pause }),
  };
}
