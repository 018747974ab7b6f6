import type { Arguments } from './states/arguments.ts';
import { REQUISITE_KINDS, type Requisite, type RequisiteKind } from './declaration.ts';
import type { Draft } from './states/draft.ts';
import type { Entry } from './values/node.ts';
import type { Problems } from './problem.ts';
import {
  readReferences,
  unknownReference,
  type Reference,
  type Register,
} from './states/references.ts';
import { isGuardWord, isRequisiteWord, requisiteOf } from './states/words.ts';

/** The requisites of each draft, by its key; references are resolved, `_in` forms turned round. */
export function resolveRequisites(
  drafts: readonly Draft[],
  register: Register,
  problems: Problems,
): ReadonlyMap<string, readonly Requisite[]> {
  const wanted = new Map<string, Map<RequisiteKind, Set<string>>>();
  for (const draft of drafts) {
    for (const [word, entry] of draft.args) {
      const requisite = requisiteOf(word);
      if (requisite === null) continue;
      for (const target of targetsOf(draft, entry, { register, problems })) {
        const [from, to] = requisite.isReverse ? [target, draft] : [draft, target];
        note(wanted, from.key, { kind: requisite.kind, target: to.key });
      }
    }
  }
  return new Map(
    [...wanted].map(([key, kinds]) => [
      key,
      REQUISITE_KINDS.flatMap((kind) => {
        const targets = [...(kinds.get(kind) ?? [])];
        return targets.length === 0 ? [] : [{ kind, targets, implied: false }];
      }),
    ]),
  );
}

function note(
  wanted: Map<string, Map<RequisiteKind, Set<string>>>,
  key: string,
  { kind, target }: { kind: RequisiteKind; target: string },
): void {
  const kinds = wanted.get(key) ?? new Map<RequisiteKind, Set<string>>();
  wanted.set(key, kinds);
  const targets = kinds.get(kind) ?? new Set();
  kinds.set(kind, targets.add(target));
}

interface Search {
  readonly register: Register;
  readonly problems: Problems;
}

function targetsOf(draft: Draft, { key: word, value }: Entry, search: Search): readonly Draft[] {
  const where = { problems: search.problems, chain: draft.scope.chain };
  return readReferences(value, word, where).flatMap((reference) =>
    resolve(draft, { reference, word, search }),
  );
}

function resolve(
  draft: Draft,
  { reference, word, search }: { reference: Reference; word: string; search: Search },
): readonly Draft[] {
  const { register, problems } = search;
  const { chain } = draft.scope;
  const found = register.find(reference);
  const others = found.filter(({ key }) => key !== draft.key);
  if (found.length === 0) unknownReference(reference, word, { register, problems, chain });
  else if (others.length === 0) {
    problems.add(reference.place, `"${word}" refers to the state itself`, { chain });
  }
  return others;
}

/** `use` copies the arguments of other states, not their names, requisites or guards; `use_in` gives them. */
export function applyUse(
  drafts: readonly Draft[],
  register: Register,
  problems: Problems,
): readonly Draft[] {
  const sources = new Map<string, Draft[]>();
  const note = ({ key }: Draft, source: Draft) => {
    sources.set(key, [...(sources.get(key) ?? []), source]);
  };
  for (const draft of drafts) {
    const [use, useIn] = [draft.args.get('use'), draft.args.get('use_in')];
    for (const other of found(use, draft, { register, problems })) note(draft, other);
    for (const other of found(useIn, draft, { register, problems })) note(other, draft);
  }
  return drafts.map((draft) => {
    const theirs = sources.get(draft.key) ?? [];
    return theirs.length === 0 ? draft : { ...draft, args: withArgumentsOf(draft, theirs) };
  });
}

function found(entry: Entry | undefined, draft: Draft, search: Search): readonly Draft[] {
  return entry === undefined ? [] : targetsOf(draft, entry, search);
}

function withArgumentsOf(draft: Draft, others: readonly Draft[]): Arguments {
  const args = new Map<string, Entry>(draft.args);
  for (const other of others) {
    for (const [key, entry] of copied(other.args)) if (!args.has(key)) args.set(key, entry);
  }
  return args;
}

function copied(args: Arguments): readonly (readonly [string, Entry])[] {
  return [...args].filter(([key]) => key !== 'name' && !isRequisiteWord(key) && !isGuardWord(key));
}
