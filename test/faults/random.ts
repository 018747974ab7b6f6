/** The same numbers for the same seed, so that a round that has failed can be done again. */
export interface Random {
  /** A whole number from 0 up to, and not, `limit`. */
  below(limit: number): number;
  oneOf<T>(choices: readonly [T, ...T[]]): T;
}

/** Mulberry32: small, and good enough to choose moments by. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return { below, oneOf: (choices) => choices[below(choices.length)] ?? choices[0] };
}
