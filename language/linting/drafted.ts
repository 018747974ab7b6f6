import { isDynamic } from '../expression.ts';
import type { Problems } from '../problem.ts';
import { draftsOf, type Draft } from '../states/draft.ts';
import { isLoopWord } from '../state-file.ts';
import type { Arguments } from '../states/arguments.ts';
import type { Scope } from '../expressions/scope.ts';
import type { Entry } from '../values/node.ts';
import type { WrittenHere } from './written-states.ts';

const NOWHERE: Scope = { names: new Map(), chain: [] };
/** The states of one ID have one. */
const scopes = new WeakMap<Entry, Scope>();

/** The declarations that a state stands for, by ID and name as far as these are written. */
export function drafted(
  { file, entry, written, args }: WrittenHere,
  problems: Problems,
): readonly Draft[] {
  const idScope = scopes.get(entry) ?? { ...NOWHERE };
  scopes.set(entry, idScope);
  const known = [...args].filter(([word, { value }]) => {
    const isNaming = word === 'name' || word === 'names';
    return !isLoopWord(word) && !(isNaming && isDynamic(value));
  });
  const literal: Arguments = new Map(known);
  const state = {
    id: entry.key,
    idPlace: entry.keyNode.place,
    type: written.type,
    place: written.key.place,
    stateFile: file.name,
    args: literal,
    scope: NOWHERE,
    idScope,
    ports: new Map(),
  };
  return draftsOf(state, problems);
}
