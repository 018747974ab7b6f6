const MOST_SHOWN = 20;

/** The first of many, and how many more there are: for plans that a person reads. */
export function shortList(names: readonly string[]): string[] {
  const more = names.length - MOST_SHOWN;
  return more > 0 ? [...names.slice(0, MOST_SHOWN), `and ${more} more`] : [...names];
}
