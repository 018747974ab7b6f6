import type { StateType } from '../../engine/state-type.ts';
import {
  alternativesAuto,
  alternativesInstall,
  alternativesRemove,
  alternativesSet,
} from './alternatives.ts';
import { debconfSet } from './debconf.ts';
import { pkgHeld, pkgUnheld } from './pkg-held.ts';
import { pkgPurged, pkgRemoved } from './pkg-removed.ts';
import { pkgUptodate } from './pkg-uptodate.ts';
import { pkgrepoAbsent } from './pkgrepo-absent.ts';
import { pkgrepoManaged } from './pkgrepo.ts';
import { pkgInstalled, pkgLatest } from './pkg.ts';

/** Debian packages and where they come from. */
export const packages: readonly StateType[] = [
  alternativesAuto,
  alternativesInstall,
  alternativesRemove,
  alternativesSet,
  debconfSet,
  pkgHeld,
  pkgInstalled,
  pkgLatest,
  pkgPurged,
  pkgRemoved,
  pkgUnheld,
  pkgUptodate,
  pkgrepoAbsent,
  pkgrepoManaged,
];
