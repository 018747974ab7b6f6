import type { StateType } from '../../engine/state-type.ts';
import { archiveExtracted } from './archive.ts';
import { djangoMigrated, djangoStatic } from './django.ts';
import { gitCloned } from './git-cloned.ts';
import { gitConfigSet, gitConfigUnset } from './git-config.ts';
import { gitDetached } from './git-detached.ts';
import { gitLatest } from './git.ts';
import { pipInstalled, pipRemoved } from './pip.ts';
import { virtualenvManaged } from './virtualenv.ts';

/** Checkouts, environments and applications. */
export const code: readonly StateType[] = [
  archiveExtracted,
  djangoMigrated,
  djangoStatic,
  gitCloned,
  gitConfigSet,
  gitConfigUnset,
  gitDetached,
  gitLatest,
  pipInstalled,
  pipRemoved,
  virtualenvManaged,
];
