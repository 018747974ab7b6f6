import type { StateType } from '../../engine/state-type.ts';
import { djangoMigrated, djangoStatic } from './django.ts';
import { gitLatest } from './git.ts';
import { pipInstalled } from './pip.ts';
import { virtualenvManaged } from './virtualenv.ts';

/** Checkouts, environments and applications. */
export const code: readonly StateType[] = [
  djangoMigrated,
  djangoStatic,
  gitLatest,
  pipInstalled,
  virtualenvManaged,
];
