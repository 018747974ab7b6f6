import { suggest } from '../../shared/suggest.ts';

/** `did you mean "x"?`, or something else to say if nothing is near. */
export function hint<Otherwise extends string | null>(
  word: string,
  candidates: Iterable<string>,
  otherwise: Otherwise,
): string | Otherwise {
  const meant = suggest(word, candidates);
  return meant === null ? otherwise : `did you mean "${meant}"?`;
}
