import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keepCopy, setAside } from '../../host/durable-file.ts';
import { KEY_FILE, openKey } from './wanted-key.ts';
import type { Key } from './wanted-key.ts';
import { readWanted, replace, wantedPath } from './wanted-file.ts';
import type { Memo, Recurrence, WantedFile } from './wanted-file.ts';
import { putMarks, putMemo, recordsOf } from './wanted-records.ts';
import type { Records } from './wanted-records.ts';
import { savingIn } from './wanted-saving.ts';

/** What a declaration asks for, as digests that tell nothing without the key. */
export type Wish = Pick<Memo, 'asked' | 'wanted'>;

/** What is known of a declaration from earlier runs. */
export type Remembered =
  | { readonly status: 'new' }
  | { readonly status: 'lost' }
  | { readonly status: 'known'; readonly memo: Readonly<Memo> };

/**
 * What each declaration asked for when the host was last as it should be, so that what the tree has
 * changed can be told from what the host has. Nothing on disk can be read back: a key that only root
 * can read goes into every digest. Losing it costs no more than one run that does not know.
 */
export interface Wanted {
  recall(key: string): Remembered;
  digest(text: string): string;
  /** The marks of the secrets that a thing holds, or may. */
  held(thing: string): readonly string[];
  hold(thing: string, marks: readonly string[]): void;
  /** The run before this one changed things and died. */
  readonly wasCutShort: boolean;
  /** Whether the last run that changed something was under way then. */
  wasActiveAt(milliseconds: number): boolean;
  /** Called before the first effect; on disk when it returns. */
  begin(): void;
  settle(key: string, wish: Wish): void;
  unsettle(key: string): void;
  /** What this run has brought about has been taken back: what was known before it is what counts. */
  revert(key: string): void;
  /** How often the host has moved, if it has once more. */
  movedAgain(key: string): Recurrence;
  /** It has. */
  countMove(key: string, moved: Recurrence): void;
  end(of: { readonly keys: Iterable<string>; readonly isWhole: boolean }): void;
}

export interface WantedOptions {
  readonly dryRun: boolean;
  /** Told when what was remembered is lost. */
  readonly onCorrupt: (why: string) => void;
  readonly now?: () => Date;
}

/** More declarations no minion remembers; those that were seen last stay. */
const MOST_RECORDS = 20_000;

/** Opens it in a minion's state directory; in a dry run nothing on disk is touched. */
export function openWanted(stateDirectory: string, options: WantedOptions): Wanted {
  const { dryRun, now = () => new Date() } = options;
  const hasRun = hasRunBefore(stateDirectory);
  const key = openKey(stateDirectory);
  const loaded = load(stateDirectory, { key, hasRun }, options);
  const { isOpen: wasCutShort, isLost } = loaded;
  const records = recordsOf(loaded);
  const { memos, held } = records;
  const settled = new Set<string>();
  const nameOf = (declaration: string): string => key.digest(`declaration ${declaration}`);
  const saving = savingIn(stateDirectory, { key, loaded, records });
  let from: string | null = null;
  return {
    wasCutShort,
    digest: (text) => key.digest(text),
    ...holding(records, (thing) => key.digest(`thing ${thing}`)),
    ...remembering({ records, settled, isLost, nameOf, now }),
    wasActiveAt: (milliseconds) => isWithin(loaded.active, milliseconds),
    begin() {
      if (dryRun) return;
      from ??= now().toISOString();
      saving.begin();
    },
    end({ keys, isWhole }) {
      if (dryRun) return;
      if (wasCutShort) doubtAll(memos, settled);
      if (isWhole) keepOnly(memos, new Set([...keys].map(nameOf)), isLost);
      forgetOldest(memos);
      forgetOldest(held);
      const active = from === null ? {} : { active: { from, until: now().toISOString() } };
      saving.whole({ isOpen: false, isLost: isLost && !isWhole, ...active });
    },
  };
}

function holding(
  records: Records,
  nameOf: (thing: string) => string,
): Pick<Wanted, 'held' | 'hold'> {
  return {
    held: (thing) => records.held.get(nameOf(thing)) ?? [],
    hold(thing, marks) {
      putMarks(records, nameOf(thing), [...new Set(marks)].toSorted());
    },
  };
}

function isWithin(active: WantedFile['active'], milliseconds: number): boolean {
  if (active === undefined) return false;
  return Date.parse(active.from) <= milliseconds && milliseconds <= Date.parse(active.until);
}

interface InMind {
  readonly records: Records;
  /** Names of those that this run has brought about. */
  readonly settled: Set<string>;
  readonly isLost: boolean;
  readonly nameOf: (declaration: string) => string;
  readonly now: () => Date;
}

function remembering(
  inMind: InMind,
): Pick<Wanted, 'recall' | 'settle' | 'unsettle' | 'revert' | 'movedAgain' | 'countMove'> {
  const { records, isLost, nameOf, now } = inMind;
  const memoOf = (declaration: string): Memo | undefined => records.memos.get(nameOf(declaration));
  return {
    ...settling(inMind),
    recall(declaration) {
      const memo = memoOf(declaration);
      if (memo === undefined) return { status: isLost ? 'lost' : 'new' };
      return memo.asked === null ? { status: 'lost' } : { status: 'known', memo };
    },
    movedAgain(declaration) {
      const { times = 0, since = now().toISOString() } = memoOf(declaration)?.moved ?? {};
      return { times: times + 1, since };
    },
    countMove(declaration, moved) {
      const memo = memoOf(declaration) ?? { asked: null, wanted: null };
      putMemo(records, nameOf(declaration), { ...memo, moved });
    },
  };
}

function settling({
  records,
  settled,
  nameOf,
}: InMind): Pick<Wanted, 'settle' | 'unsettle' | 'revert'> {
  const { memos } = records;
  const before = new Map<string, Memo | null>();
  const unsettle = (declaration: string): void => {
    const memo = memos.get(nameOf(declaration));
    if (memo !== undefined) putMemo(records, nameOf(declaration), { ...memo, isUnsettled: true });
  };
  return {
    settle(declaration, wish) {
      const name = nameOf(declaration);
      const memo = memos.get(name);
      if (!settled.has(name)) before.set(name, memo ?? null);
      putMemo(records, name, memo?.moved === undefined ? wish : { ...wish, moved: memo.moved });
      replace(memos, name, memos.get(name) ?? null); // what was seen last stands last
      settled.add(name);
    },
    unsettle,
    revert(declaration) {
      const memo = before.get(nameOf(declaration));
      if (memo === undefined) unsettle(declaration);
      else replace(memos, nameOf(declaration), memo);
    },
  };
}

/** A run that died may have changed whatever this one did not get to. */
function doubtAll(memos: Map<string, Memo>, settled: ReadonlySet<string>): void {
  for (const [name, memo] of memos)
    if (!settled.has(name)) memos.set(name, { ...memo, isUnsettled: true });
}

/** What was lost of a declaration that has not been brought about since stays so. */
function keepOnly(memos: Map<string, Memo>, names: ReadonlySet<string>, isLost: boolean): void {
  for (const name of memos.keys()) if (!names.has(name)) memos.delete(name);
  for (const name of isLost ? names : [])
    if (!memos.has(name)) memos.set(name, { asked: null, wanted: null });
}

function forgetOldest(memos: Map<string, unknown>): void {
  for (const name of [...memos.keys()].slice(0, -MOST_RECORDS)) memos.delete(name);
}

/** What earlier runs leave behind: where it is, a file that is missing was lost. */
function hasRunBefore(stateDirectory: string): boolean {
  return [KEY_FILE, 'owed.json'].some((name) => existsSync(join(stateDirectory, name)));
}

function load(
  stateDirectory: string,
  { key, hasRun }: { readonly key: Key; readonly hasRun: boolean },
  { dryRun, onCorrupt }: WantedOptions,
): WantedFile {
  const empty = { version: 1, key: key.digest('key'), isOpen: false, memos: {} } as const;
  const lost = (path: string, why: string, keep: (path: string) => string): void => {
    const aside = dryRun ? path : keep(path);
    onCorrupt(`What was wanted before cannot be read and is kept as "${aside}": ${why}`);
  };
  const stored = readWanted(stateDirectory);
  if (stored.status === 'missing') return { ...empty, isLost: hasRun };
  if (stored.status === 'ok' && stored.value.file.key === empty.key) {
    const { file, journal } = stored.value;
    if (journal === null) return file;
    // What is whole of it counts until the file is written anew.
    lost(journal.path, journal.why, keepCopy);
    return { ...file, isLost: true };
  }
  const why = stored.status === 'corrupt' ? stored.why : 'its key is another one';
  lost(wantedPath(stateDirectory), why, setAside);
  return { ...empty, isLost: true };
}
