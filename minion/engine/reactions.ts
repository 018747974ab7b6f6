import type { Declaration } from '../../language/declaration.ts';
import type { Debt, OwedJournal, ReactionKind } from './owed.ts';
import type { StateType } from './state-type.ts';

type Edge = Omit<Debt, 'since'>;

/** Who reacts to whom in a catalog. */
export interface Reactions {
  /** All that can ever be owed. */
  readonly edges: readonly Edge[];
  /** What a change of this declaration makes others owe. */
  readonly by: ReadonlyMap<string, readonly Edge[]>;
}

const KINDS: Readonly<Partial<Record<string, ReactionKind>>> = {
  watch: 'watch',
  watch_any: 'watch',
  onchanges: 'onchanges',
  onchanges_any: 'onchanges',
  listen: 'listen',
};

/**
 * Finds every reaction that the declarations ask for, of the whole tree or of state files by name. A type that cannot
 * react owes none to a `watch`.
 */
export function reactionsIn(
  declarations: readonly Declaration[],
  types: ReadonlyMap<string, StateType>,
  { isWhole }: { readonly isWhole: boolean },
): Reactions {
  const named = isWhole ? {} : ({ isNamed: true } as const);
  const edges = declarations.flatMap((declaration) =>
    declaration.requisites.flatMap(({ kind, targets }) => {
      const reaction = KINDS[kind];
      const canReact = reaction === 'onchanges' || types.get(declaration.type)?.react !== undefined;
      if (reaction === undefined || !canReact) return [];
      return targets.map((because) => ({
        key: declaration.key,
        kind: reaction,
        because,
        ...named,
      }));
    }),
  );
  const by = new Map<string, Edge[]>();
  for (const edge of edges) by.set(edge.because, [...(by.get(edge.because) ?? []), edge]);
  return { edges, by };
}

/** How long a run of state files by name waits for the next one of them: nobody may apply them ever again. */
const NAMED_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Brings the journal in step with the catalog before the first state: what was lost is owed anew,
 * and what is owed by declarations that the whole tree no longer has is dropped. Gives the latter. What
 * state files by name owe need not be in the whole tree, and stays for 30 days.
 */
export function takeStock(
  journal: OwedJournal,
  reactions: Reactions,
  declarations: readonly Declaration[],
  { isWhole, dryRun }: { readonly isWhole: boolean; readonly dryRun: boolean },
): readonly Debt[] {
  if (journal.isLost()) journal.recover(reactions.edges, { isWhole });
  if (!isWhole || dryRun) return [];
  const keys = new Set(declarations.map(({ key }) => key));
  const isOver = ({ key, isNamed, since }: Debt): boolean =>
    !keys.has(key) && (isNamed !== true || Date.now() - Date.parse(since) > NAMED_DAYS * DAY_MS);
  const dropped = journal.all().filter(isOver);
  journal.strike(isOver);
  return dropped;
}

/** What one declaration owes, of these kinds. */
export function debtsOf(
  journal: OwedJournal,
  key: string,
  kinds: readonly ReactionKind[],
): readonly Debt[] {
  return journal.all().filter((debt) => debt.key === key && kinds.includes(debt.kind));
}
