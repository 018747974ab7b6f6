/** The server's own name, without its hyphens and underscores, which it does not need: `utf-8` is UTF8. */
export function canonicalEncoding(name: string): string {
  const known = name.toUpperCase().replaceAll(/[-_ ]/gu, '');
  if (known === 'UNICODE') return 'UTF8';
  return known.replace(/^WINDOWS(?=\d)/u, 'WIN').replace(/^ISO88591$/u, 'LATIN1');
}

/** `he_IL.utf8` and `he_IL.UTF-8` are the same locale. */
export function canonicalLocale(name: string): string {
  return name.replace(/\.utf-?8$/iu, '.UTF-8');
}
