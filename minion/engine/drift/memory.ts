import { contentsDirectory, openContents } from './contents.ts';
import type { Contents } from './contents.ts';
import { openWanted } from './wanted.ts';
import type { Wanted, WantedOptions } from './wanted.ts';

/** By which a run tells drift from what the tree has changed. */
export interface Memory {
  readonly wanted: Wanted;
  readonly contents: Contents;
}

/** Opens what a minion remembers below its state directory; a dry run touches nothing of it. */
export function openMemory(stateDirectory: string, options: WantedOptions): Memory {
  return {
    wanted: openWanted(stateDirectory, options),
    contents: openContents(contentsDirectory(stateDirectory)),
  };
}
