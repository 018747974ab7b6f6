const MOST_SHOWN = 20;

/** The first of many, and how many more there are: for plans that a person reads. */
export function shortList(names: readonly string[]): string[] {
  const more = names.length - MOST_SHOWN;
  return more > 0 ? [...names.slice(0, MOST_SHOWN), `and ${more} more`] : [...names];
}

/**
 * What lies below a directory, as it is told: by its whole path where the directory that is declared is a link, so that
 * nobody takes for granted where it leads.
 */
export function listBelow(
  { declared, real }: { readonly declared: string; readonly real: string },
  names: readonly string[],
): string[] {
  return shortList(real === declared ? names : names.map((name) => `${real}/${name}`));
}
