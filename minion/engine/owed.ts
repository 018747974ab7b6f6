import { existsSync } from 'node:fs';
import { z } from 'zod';
import { keepCopy, readStored, writeDurably } from '../host/durable-file.ts';

/** How a declaration answers when something that it looks at has changed. */
export const REACTION_KINDS = ['watch', 'onchanges', 'listen'] as const;

export type ReactionKind = (typeof REACTION_KINDS)[number];

const debtSchema = z.strictObject({
  /** The declaration that is to react. */
  key: z.string(),
  kind: z.enum(REACTION_KINDS),
  /** The declaration whose change it is to react to. */
  because: z.string(),
  since: z.iso.datetime(),
  /** A run of state files by name owes it, and the whole tree may not have them. */
  isNamed: z.literal(true).optional(),
});

export type Debt = z.infer<typeof debtSchema>;

const journalSchema = z.strictObject({
  version: z.literal(1),
  /** An earlier journal was unreadable, and no run of the whole tree has made up for it since. */
  isLost: z.boolean(),
  owed: z.array(debtSchema),
});

/**
 * The reactions that are owed, on disk. A reaction is written down before the change that asks for
 * it is made, and struck out when it has succeeded, so a run that dies in between still owes it.
 */
export interface OwedJournal {
  all(): readonly Debt[];
  /** On disk when it returns. */
  owe(debts: readonly Omit<Debt, 'since'>[]): void;
  strike(matches: (debt: Debt) => boolean): void;
  /** A journal could not be read: nobody knows what is owed, so everything that reacts may be. */
  isLost(): boolean;
  /**
   * Writes these down in place of what was lost (a dry run only keeps them in mind); `isWhole` if
   * they are all that there can be.
   */
  recover(debts: readonly Omit<Debt, 'since'>[], options: { readonly isWhole: boolean }): void;
}

export interface JournalOptions {
  readonly dryRun: boolean;
  readonly onCorrupt: (why: string) => void;
  readonly now?: () => Date;
}

/** Opens the journal; in a dry run nothing on disk is touched and nothing may be written down. */
export function openJournal(path: string, options: JournalOptions): OwedJournal {
  const { dryRun, onCorrupt, now = () => new Date() } = options;
  const stored = readStored(path, journalSchema);
  let owed: readonly Debt[] = stored.status === 'ok' ? stored.value.owed : [];
  let isLost = stored.status === 'corrupt' || (stored.status === 'ok' && stored.value.isLost);
  if (stored.status === 'corrupt') {
    const copy = dryRun ? path : keepLost(path, now());
    onCorrupt(
      `The journal of owed reactions cannot be read and is kept as "${copy}": ${stored.why}`,
    );
  }

  const save = (next: readonly Debt[], lost: boolean): void => {
    if (dryRun) throw new Error('a dry run owes nothing');
    const journal = { version: 1, isLost: lost, owed: next };
    writeDurably(path, `${JSON.stringify(journal, null, 2)}\n`);
    [owed, isLost] = [next, lost];
  };
  const adding = (debts: readonly Omit<Debt, 'since'>[]): readonly Debt[] => {
    const since = now().toISOString();
    const added = debts.filter((debt) => !owed.some((known) => isSame(known, debt)));
    return added.map((debt) => ({ ...debt, since }));
  };
  return {
    isLost: () => isLost,
    all: () => owed,
    owe(debts) {
      const added = adding(debts);
      if (added.length > 0) save([...owed, ...added], isLost);
    },
    recover(debts, { isWhole }) {
      const all = [...owed, ...adding(debts)];
      if (dryRun) owed = all;
      else save(all, !isWhole);
    },
    strike(matches) {
      const left = owed.filter((debt) => !matches(debt));
      if (left.length < owed.length) save(left, isLost);
    },
  };
}

/** Keeps an unreadable journal for somebody to look at. What stands in its place never looks like a first run. */
function keepLost(path: string, now: Date): string {
  const copy = keepCopy(path, now);
  if (!existsSync(path)) writeDurably(path, '{"version": 1, "isLost": true, "owed": []}\n');
  return copy;
}

function isSame(a: Omit<Debt, 'since'>, b: Omit<Debt, 'since'>): boolean {
  return a.key === b.key && a.kind === b.kind && a.because === b.because;
}
