import type { StateType } from '../../engine/state-type.ts';
import { pkgInstalled, pkgRemoved } from './pkg.ts';

/** Debian packages and where they come from. */
export const packages: readonly StateType[] = [pkgInstalled, pkgRemoved];
