/**
 * Wall clocks. A wall time is what a clock on the wall shows, in milliseconds as if it showed UTC, so
 * that days and hours can be counted on it; an instant is milliseconds since 1970.
 */

export interface Zone {
  /** What its clocks show at an instant. */
  readonly wallOf: (instant: number) => number;
}

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** This machine's own; without the tables of `Intl`, which cost memory. */
export const LOCAL_ZONE: Zone = {
  wallOf: (instant) => instant - new Date(instant).getTimezoneOffset() * MINUTE_MS,
};

/** A zone by its name in the IANA database; `null` if there is none of that name. */
export function namedZone(name: string): Zone | null {
  try {
    return zoneOf(formatOf(name));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

function zoneOf(format: Intl.DateTimeFormat): Zone {
  return {
    wallOf: (instant) => {
      const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
      const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
      const day = Date.UTC(part('year'), part('month') - 1, part('day'));
      const seconds = part('hour') * 3600 + part('minute') * 60 + part('second');
      return day + seconds * 1000 + (instant - Math.floor(instant / 1000) * 1000);
    },
  };
}

/** When the clocks show a wall time: never in the hour that summer time leaves out, twice in the one it repeats. */
export function instantsOf(zone: Zone, wall: number): readonly number[] {
  const candidates = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - offsetAt(zone, near));
  return [...new Set(candidates)]
    .filter((instant) => zone.wallOf(instant) === wall)
    .toSorted((a, b) => a - b);
}

/** When the clocks first show a wall time, or, if they leave it out, a later one. */
export function firstInstantOf(zone: Zone, wall: number): number {
  const [first] = instantsOf(zone, wall);
  return first ?? endOfGap(zone, wall);
}

function offsetAt(zone: Zone, instant: number): number {
  return zone.wallOf(instant) - instant;
}

function endOfGap(zone: Zone, wall: number): number {
  let early = wall - offsetAt(zone, wall + DAY_MS);
  let late = wall - offsetAt(zone, wall - DAY_MS);
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (zone.wallOf(middle) < wall) early = middle;
    else late = middle;
  }
  return late;
}
