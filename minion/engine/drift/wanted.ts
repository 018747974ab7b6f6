import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readStored, setAside, writeDurably } from '../../host/durable-file.ts';
import { KEY_FILE, openKey } from './wanted-key.ts';
import type { Key } from './wanted-key.ts';

const recurrenceSchema = z.strictObject({
  times: z.int().positive(),
  since: z.iso.datetime(),
});

/** How often the host has moved away from a declaration. */
export type Recurrence = z.infer<typeof recurrenceSchema>;

const memoSchema = z.strictObject({
  /** What the tree asked for when the host was last as it should be; `null` if that was lost. */
  asked: z.string().nullable(),
  /** How the thing was to be then; `null` if nobody looked. */
  wanted: z.string().nullable(),
  /** A run since has begun what it did not get done. */
  isUnsettled: z.literal(true).optional(),
  moved: recurrenceSchema.optional(),
});

type Memo = z.infer<typeof memoSchema>;

const fileSchema = z.strictObject({
  version: z.literal(1),
  /** Tells whether the digests were made with the key that is there. */
  key: z.string(),
  /** A run has begun to change things and has not said that it ended. */
  isOpen: z.boolean(),
  isLost: z.boolean(),
  /** When the last run that changed something was under way. */
  active: z.strictObject({ from: z.iso.datetime(), until: z.iso.datetime() }).optional(),
  memos: z.record(z.string(), memoSchema),
  /** By thing, as a digest: the marks of secrets that it holds, or has held. */
  held: z.record(z.string(), z.array(z.string())).optional(),
});

type File = z.infer<typeof fileSchema>;

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
  const memos = new Map(Object.entries(loaded.memos));
  const held = new Map(Object.entries(loaded.held ?? {}));
  const settled = new Set<string>();
  const nameOf = (declaration: string): string => key.digest(`declaration ${declaration}`);
  let saved = JSON.stringify(loaded);
  let from: string | null = null;

  const save = (change: Omit<Partial<File>, 'memos'>): void => {
    const text = JSON.stringify({ ...loaded, ...change, ...inFile(memos, held) });
    if (dryRun || text === saved) return;
    key.keep();
    writeDurably(join(stateDirectory, FILE), text);
    saved = text;
  };
  return {
    wasCutShort,
    digest: (text) => key.digest(text),
    ...holding(held, (thing) => key.digest(`thing ${thing}`)),
    ...remembering({ memos, settled, isLost, nameOf, now }),
    wasActiveAt: (milliseconds) => isWithin(loaded.active, milliseconds),
    begin() {
      from ??= now().toISOString();
      save({ isOpen: true });
    },
    end({ keys, isWhole }) {
      if (wasCutShort) doubtAll(memos, settled);
      if (isWhole) keepOnly(memos, new Set([...keys].map(nameOf)), isLost);
      forgetOldest(memos);
      forgetOldest(held);
      const active = from === null ? {} : { active: { from, until: now().toISOString() } };
      save({ isOpen: false, isLost: isLost && !isWhole, ...active });
    },
  };
}

function inFile(
  memos: ReadonlyMap<string, Memo>,
  held: ReadonlyMap<string, readonly string[]>,
): { memos: object; held?: object | undefined } {
  return {
    memos: Object.fromEntries(memos),
    held: held.size === 0 ? undefined : Object.fromEntries(held),
  };
}

function holding(
  held: Map<string, readonly string[]>,
  nameOf: (thing: string) => string,
): Pick<Wanted, 'held' | 'hold'> {
  return {
    held: (thing) => held.get(nameOf(thing)) ?? [],
    hold(thing, marks) {
      held.delete(nameOf(thing));
      if (marks.length > 0) held.set(nameOf(thing), [...new Set(marks)].toSorted());
    },
  };
}

function isWithin(active: File['active'], milliseconds: number): boolean {
  if (active === undefined) return false;
  return Date.parse(active.from) <= milliseconds && milliseconds <= Date.parse(active.until);
}

interface InMind {
  readonly memos: Map<string, Memo>;
  /** Names of those that this run has brought about. */
  readonly settled: Set<string>;
  readonly isLost: boolean;
  readonly nameOf: (declaration: string) => string;
  readonly now: () => Date;
}

function remembering({
  memos,
  settled,
  isLost,
  nameOf,
  now,
}: InMind): Pick<Wanted, 'recall' | 'settle' | 'unsettle' | 'movedAgain' | 'countMove'> {
  const memoOf = (declaration: string): Memo | undefined => memos.get(nameOf(declaration));
  return {
    recall(declaration) {
      const memo = memoOf(declaration);
      if (memo === undefined) return { status: isLost ? 'lost' : 'new' };
      return memo.asked === null ? { status: 'lost' } : { status: 'known', memo };
    },
    settle(declaration, wish) {
      const { moved } = memoOf(declaration) ?? {};
      memos.delete(nameOf(declaration)); // what was seen last stands last
      memos.set(nameOf(declaration), { ...wish, ...(moved === undefined ? {} : { moved }) });
      settled.add(nameOf(declaration));
    },
    unsettle(declaration) {
      const memo = memoOf(declaration);
      if (memo !== undefined) memos.set(nameOf(declaration), { ...memo, isUnsettled: true });
    },
    movedAgain(declaration) {
      const { times = 0, since = now().toISOString() } = memoOf(declaration)?.moved ?? {};
      return { times: times + 1, since };
    },
    countMove(declaration, moved) {
      const memo = memoOf(declaration) ?? { asked: null, wanted: null };
      memos.set(nameOf(declaration), { ...memo, moved });
    },
  };
}

const FILE = 'wanted.json';

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
): File {
  const path = join(stateDirectory, FILE);
  const empty = { version: 1, key: key.digest('key'), isOpen: false, memos: {} } as const;
  const stored = readStored(path, fileSchema);
  if (stored.status === 'ok' && stored.value.key === empty.key) return stored.value;
  if (stored.status === 'missing') return { ...empty, isLost: hasRun };
  const aside = dryRun ? path : setAside(path);
  const why = stored.status === 'corrupt' ? stored.why : 'its key is another one';
  onCorrupt(`What was wanted before cannot be read and is kept as "${aside}": ${why}`);
  return { ...empty, isLost: true };
}
