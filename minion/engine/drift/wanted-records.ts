import { isDeepStrictEqual } from 'node:util';
import { replace } from './wanted-file.ts';
import type { Memo, News, WantedFile } from './wanted-file.ts';

/** All that is remembered, and what of it does not stand on disk yet. */
export interface Records {
  readonly memos: Map<string, Memo>;
  readonly held: Map<string, readonly string[]>;
  readonly fresh: { readonly memos: Set<string>; readonly held: Set<string> };
}

export function recordsOf({ memos, held = {} }: WantedFile): Records {
  return {
    memos: new Map(Object.entries(memos)),
    held: new Map(Object.entries(held)),
    fresh: { memos: new Set(), held: new Set() },
  };
}

/** Puts a memo in place of the one that was there. */
export function putMemo({ memos, fresh }: Records, name: string, memo: Memo): void {
  if (!isDeepStrictEqual(memos.get(name), memo)) fresh.memos.add(name);
  memos.set(name, memo);
}

export function putMarks({ held, fresh }: Records, name: string, marks: readonly string[]): void {
  if (!isDeepStrictEqual(held.get(name) ?? [], marks)) fresh.held.add(name);
  replace(held, name, marks.length > 0 ? marks : null);
}

export function inFile({ memos, held }: Records): Pick<WantedFile, 'memos' | 'held'> {
  return {
    memos: Object.fromEntries(memos),
    held:
      held.size === 0
        ? undefined
        : Object.fromEntries([...held].map(([thing, marks]) => [thing, [...marks]])),
  };
}

export function newsOf({ memos, held, fresh }: Records): News {
  const memosOf = (name: string): [string, Memo][] => {
    const memo = memos.get(name);
    return memo === undefined ? [] : [[name, memo]];
  };
  return {
    memos: [...fresh.memos].flatMap(memosOf),
    held: [...fresh.held].map((thing) => [thing, [...(held.get(thing) ?? [])]]),
  };
}

export function hasFresh({ fresh }: Records): boolean {
  return fresh.memos.size + fresh.held.size > 0;
}

export function forgetFresh({ fresh }: Records): void {
  fresh.memos.clear();
  fresh.held.clear();
}
