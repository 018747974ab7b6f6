/**
 * JSON with sorted keys and no spaces, so that equal values give equal bytes (RFC 8785 for the
 * values used here: no number outside the safe integers, no `undefined`).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isMapping(inner) ? sorted(inner) : inner,
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(mapping: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(mapping).toSorted();
  return Object.fromEntries(names.map((name) => [name, mapping[name]]));
}
