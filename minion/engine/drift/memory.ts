import type { Logger } from '../../../shared/log.ts';
import type { AtRest } from '../../host/at-rest.ts';
import { openKeeps } from '../../host/keeps.ts';
import type { Keeps } from '../../host/keeps.ts';
import { contentsDirectory, openContents } from './contents.ts';
import type { Contents } from './contents.ts';
import { openWanted } from './wanted.ts';
import type { Wanted, WantedOptions } from './wanted.ts';

/** What a run knows of those before it: by which it tells drift from what the tree has changed, and can take changes back. */
export interface Memory {
  readonly wanted: Wanted;
  readonly contents: Contents;
  readonly keeps: Keeps;
}

export interface MemoryOptions extends WantedOptions {
  /** What contents are sealed with; without it none are kept. */
  readonly atRest: AtRest | null;
  readonly log: Logger;
}

/** Opens what a minion remembers below its state directory; a dry run touches nothing of it. */
export function openMemory(stateDirectory: string, options: MemoryOptions): Memory {
  return {
    wanted: openWanted(stateDirectory, options),
    contents: openContents(contentsDirectory(stateDirectory), options.atRest),
    keeps: openKeeps({ stateDirectory, ...options }),
  };
}
