import type { Declaration, Requisite } from '../declaration.ts';
import type { Checked } from './declare.ts';
import type { Draft } from './draft.ts';
import { impliedEdges } from './implied.ts';
import { definitionOrder, edgesOf, findCycles, walk, type Edges } from '../order.ts';
import { showPlace } from '../place.ts';
import type { Problems } from '../problem.ts';

interface Relations {
  readonly requisites: ReadonlyMap<string, readonly Requisite[]>;
  readonly drafts: readonly Draft[];
  readonly problems: Problems;
}

/**
 * Brings checked drafts into the order of the run: definition order, changed by `order` and by
 * written and implied requisites. A cycle is reported; then there is no order.
 */
export function sequenceOf(
  checked: readonly Checked[],
  { requisites, drafts, problems }: Relations,
): readonly Declaration[] {
  const { written, isCircular } = refuseCircles({ requisites, drafts, problems });
  if (isCircular || checked.length < drafts.length) return [];

  const implied = impliedEdges(checked, written);
  const all = checked.map((one) => {
    const more = implied.get(one.key) ?? [];
    const own = requisites.get(one.key) ?? [];
    const follows = { kind: 'require' as const, targets: more, implied: true };
    return { ...one, requisites: more.length === 0 ? own : [...own, follows] };
  });
  const sorted = definitionOrder(all);
  return walk(sorted, edgesOf(sorted)).map(declarationOf);
}

/** Reports requisites that go round; gives all that are written, by the key of who has them. */
export function refuseCircles({ requisites, drafts, problems }: Relations): {
  readonly written: Edges;
  readonly isCircular: boolean;
} {
  const written = edgesOf(
    drafts.map(({ key }) => ({ key, order: null, requisites: requisites.get(key) ?? [] })),
  );
  const cycles = findCycles(written);
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  for (const cycle of cycles) reportCycle(cycle, byKey, problems);
  return { written, isCircular: cycles.length > 0 };
}

/** Tells the loop once, at the state of it that comes first in the files. */
function reportCycle(
  cycle: readonly string[],
  byKey: ReadonlyMap<string, Draft>,
  problems: Problems,
): void {
  const drafts = cycle.flatMap((key) => byKey.get(key) ?? []);
  const places = drafts.map(({ place }) => showPlace(place));
  const first = places.indexOf(places.toSorted()[0] ?? '');
  const ordered = [...drafts.slice(first), ...drafts.slice(0, first)];
  const [start] = ordered;
  if (start === undefined) return;
  const names = [...ordered, start].map(({ type, id }) => `${type} "${id}"`);
  const chain = ordered.map((draft, index) => {
    const next = ordered[(index + 1) % ordered.length] ?? start;
    return { words: `"${draft.id}" waits for "${next.id}":`, place: draft.place };
  });
  problems.add(start.place, `requisites go round in a circle: ${names.join(' -> ')}`, { chain });
}

type Sequenced = Checked & { readonly requisites: readonly Requisite[] };

function declarationOf({ draft, words, ...rest }: Sequenced): Declaration {
  return {
    key: rest.key,
    id: draft.id,
    name: draft.name,
    type: draft.type,
    args: rest.args,
    place: draft.place,
    stateFile: draft.stateFile,
    requisites: rest.requisites,
    guards: rest.guards,
    checkCommands: words.check_cmd ?? [],
    retry: rest.retry,
    timeoutSeconds: words.timeout ?? null,
    failhard: words.failhard ?? false,
    runas: words.runas ?? null,
    ports: [...draft.ports.keys()],
  };
}
