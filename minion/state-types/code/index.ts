import type { StateType } from '../../engine/state-type.ts';
import { archiveExtracted } from './archive.ts';
import { djangoCheck } from './django-check.ts';
import { djangoSuperuser } from './django-superuser.ts';
import { djangoMigrated, djangoStatic } from './django.ts';
import {
  dockerContainerAbsent,
  dockerContainerRunning,
  dockerContainerStopped,
} from './docker-container.ts';
import { dockerImageAbsent, dockerImagePresent } from './docker-image.ts';
import { gitCloned } from './git-cloned.ts';
import { gitConfigSet, gitConfigUnset } from './git-config.ts';
import { gitDetached } from './git-detached.ts';
import { gitLatest } from './git.ts';
import { npmInstalled, npmRemoved } from './npm.ts';
import { pipRemoved } from './pip-removed.ts';
import { pipInstalled } from './pip.ts';
import { virtualenvManaged } from './virtualenv.ts';

/** Checkouts, environments and applications. */
export const code: readonly StateType[] = [
  archiveExtracted,
  djangoCheck,
  djangoMigrated,
  djangoStatic,
  djangoSuperuser,
  dockerContainerAbsent,
  dockerContainerRunning,
  dockerContainerStopped,
  dockerImageAbsent,
  dockerImagePresent,
  gitCloned,
  gitConfigSet,
  gitConfigUnset,
  gitDetached,
  gitLatest,
  npmInstalled,
  npmRemoved,
  pipInstalled,
  pipRemoved,
  virtualenvManaged,
];
