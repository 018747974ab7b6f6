import { checkDraft, type Checked, type Declaring } from './declare.ts';
import type { Draft } from './draft.ts';
import { settledOf } from './settled.ts';
import type { Settled, Surroundings } from '../../shared/surroundings.ts';

type Gatherings = Surroundings['gathered'];

/**
 * Checks all drafts: first those that gather texts for files of others, then, with these at hand,
 * all others; and tells each that must know it what the rest brings about.
 */
export function checkAll(
  drafts: readonly Draft[],
  declaring: Omit<Declaring, 'gathered'>,
): readonly Checked[] {
  const nothing: Gatherings = new Map();
  const early = new Map<string, Checked | null>();
  for (const draft of drafts) {
    if (declaring.states.get(draft.type)?.gathers === undefined) continue;
    early.set(draft.key, checkDraft(draft, { ...declaring, gathered: nothing }));
  }
  const { gathered, secretFor } = gatheredBy(early, declaring);
  const told = { ...declaring, gathered, secretFor };
  const checked = drafts.flatMap((draft) => {
    const one = early.get(draft.key);
    return (one === undefined ? checkDraft(draft, told) : one) ?? [];
  });
  const rest = { checked, gathered, secretFor, declaring };
  const settled = new Map<Checked, Settled>();
  return checked.map((one) => knowing(one, { ...rest, settled }));
}

function gatheredBy(
  early: ReadonlyMap<string, Checked | null>,
  { states }: Pick<Declaring, 'states'>,
): { gathered: Gatherings; secretFor: ReadonlySet<string> } {
  const gathered = new Map<string, Record<string, readonly string[]>>();
  const secretFor = new Set<string>();
  for (const one of early.values()) {
    const found = one === null ? undefined : states.get(one.draft.type)?.gathers?.(one.args);
    if (found === undefined) continue;
    if (one?.holdsSecret === true) secretFor.add(found.path);
    const names = gathered.get(found.path) ?? {};
    const texts = [...(names[found.name] ?? []), ...found.texts];
    gathered.set(found.path, { ...names, [found.name]: texts });
  }
  return { gathered, secretFor };
}

interface Rest {
  readonly checked: readonly Checked[];
  readonly gathered: Gatherings;
  readonly secretFor: ReadonlySet<string>;
  readonly declaring: Pick<Declaring, 'states'>;
  /** What has been asked of those that decide something. */
  readonly settled: Map<Checked, Settled>;
}

function knowing(one: Checked, rest: Rest): Checked {
  const others = (): readonly Checked[] => rest.checked.filter((other) => other !== one);
  return told(one, rest, {
    provided: () => others().flatMap((other) => other.provides),
    settled: () => others().map((other) => settledBy(other, rest)),
  });
}

/** Nobody decides by what others decide. */
function settledBy(one: Checked, rest: Rest): Settled {
  const known = rest.settled.get(one);
  if (known !== undefined) return known;
  const alone = told(one, rest, { provided: () => [], settled: () => [] });
  const settled = settledOf(alone, rest.declaring.states);
  rest.settled.set(one, settled);
  return settled;
}

function told(
  one: Checked,
  { gathered, secretFor, declaring }: Rest,
  others: Pick<Surroundings, 'provided' | 'settled'>,
): Checked {
  const type = declaring.states.get(one.draft.type);
  if (type?.knowing === undefined) return one;
  const holdsSecret = one.holdsSecret || secretFor.has(one.draft.name);
  return { ...one, args: type.knowing(one.args, { ...others, gathered, holdsSecret }) };
}
