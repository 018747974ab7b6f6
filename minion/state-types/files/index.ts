import type { StateType } from '../../engine/state-type.ts';
import { fileAbsent } from './file-absent.ts';
import { fileDirectory } from './file-directory.ts';
import { fileManaged } from './file-managed.ts';
import { fileSymlink } from './file-symlink.ts';

/** Files, directories and links. */
export const files: readonly StateType[] = [fileAbsent, fileDirectory, fileManaged, fileSymlink];
