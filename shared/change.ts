import { isDeepStrictEqual } from 'node:util';

/** What can be said about one attribute: plain data, so that it can be compared, printed and sent. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly [name: string]: Value };

/** What can be said about one thing on a host. */
export type Attributes = { readonly [name: string]: Value };

/** The step from how a thing is to how it should be. `to` holds only what differs. */
export type Change<State extends Attributes = Attributes> =
  | { readonly action: 'create'; readonly to: Partial<State> }
  | { readonly action: 'update'; readonly from: State; readonly to: Partial<State> }
  | { readonly action: 'remove'; readonly from: State };

/** Compares only the attributes in `want`; `null` means that the thing does not exist. */
export function diff<State extends Attributes>(
  have: State | null,
  want: Partial<State> | null,
): Change<State> | null {
  if (want === null) return have === null ? null : { action: 'remove', from: have };
  if (have === null) return { action: 'create', to: want };

  const to: Partial<State> = { ...want };
  for (const name in to) {
    if (isDeepStrictEqual(have[name], to[name])) delete to[name];
  }
  return Object.keys(to).length === 0 ? null : { action: 'update', from: have, to };
}
