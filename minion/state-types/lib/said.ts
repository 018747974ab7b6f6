/** A mapping without the names that are not said. */
export type Said<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Leaves out what is `undefined`, so that nothing is asked where nothing was said. */
export function said<T extends object>(values: T): Said<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names with the same values
  return Object.fromEntries(entries) as Said<T>;
}
