import type { Place } from '../place.ts';

/** Where a value was set, and what that beat, latest first. */
export interface Origin {
  readonly place: Place;
  readonly beat: readonly Place[];
}

export type Origins = Map<string, Origin>;

/** Notes that the value at `path` now comes from `place`; what stood at or below it is beaten. */
export function noteOrigin(origins: Origins, path: string, place: Place): void {
  const beat: Place[] = [];
  for (const [known, origin] of origins) {
    if (known !== path && !known.startsWith(`${path}.`)) continue;
    beat.push(origin.place, ...origin.beat);
    origins.delete(known);
  }
  origins.set(path, { place, beat });
}

/** Forgets where a value came from: it is gone. */
export function forgetOrigin(origins: Origins, path: string): void {
  for (const known of origins.keys()) {
    if (known === path || known.startsWith(`${path}.`)) origins.delete(known);
  }
}
