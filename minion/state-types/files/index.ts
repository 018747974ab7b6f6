import type { StateType } from '../../engine/state-type.ts';
import { fileAbsent } from './file-absent.ts';
import { fileAccumulated } from './file-accumulated.ts';
import { fileAppend, filePrepend } from './file-append.ts';
import { fileBlockreplace } from './file-blockreplace.ts';
import { fileComment, fileUncomment } from './file-comment.ts';
import { fileCopy } from './file-copy.ts';
import { fileDirectory } from './file-directory.ts';
import { fileExists, fileMissing } from './file-exists.ts';
import { fileHardlink } from './file-hardlink.ts';
import { fileKeyvalue } from './file-keyvalue.ts';
import { fileLine } from './file-line.ts';
import { fileManaged } from './file-managed.ts';
import { fileRecurse } from './file-recurse.ts';
import { fileRename } from './file-rename.ts';
import { fileReplace } from './file-replace.ts';
import { fileSerialize } from './file-serialize.ts';
import { fileSymlink } from './file-symlink.ts';
import { fileTidied } from './file-tidied.ts';
import { fileTouch } from './file-touch.ts';

/** Files, directories and links. */
export const files: readonly StateType[] = [
  fileAbsent,
  fileAccumulated,
  fileAppend,
  fileBlockreplace,
  fileComment,
  fileCopy,
  fileDirectory,
  fileExists,
  fileHardlink,
  fileKeyvalue,
  fileLine,
  fileManaged,
  fileMissing,
  filePrepend,
  fileRecurse,
  fileRename,
  fileReplace,
  fileSerialize,
  fileSymlink,
  fileTidied,
  fileTouch,
  fileUncomment,
];
