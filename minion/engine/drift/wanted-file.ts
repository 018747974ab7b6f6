import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { appendDurably, readOwnBytes, readStored } from '../../host/durable-file.ts';
import type { Stored } from '../../host/durable-file.ts';

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

export type Memo = z.infer<typeof memoSchema>;

const marksSchema = z.array(z.string());

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
  held: z.record(z.string(), marksSchema).optional(),
});

export type WantedFile = z.infer<typeof fileSchema>;

/** A line of the journal: what has become different since the line before it. No marks: it holds no secret any more. */
const newsSchema = z.strictObject({
  memos: z.array(z.tuple([z.string(), memoSchema])),
  held: z.array(z.tuple([z.string(), marksSchema])),
});

export type News = z.infer<typeof newsSchema>;

export function wantedPath(stateDirectory: string): string {
  return join(stateDirectory, 'wanted.json');
}

/**
 * `wanted.json` is written whole at the beginning and the end of a run, for that takes longer the more is remembered.
 * What comes about in between is appended to this one, which only counts while the file says that a run is under way:
 * applied twice it comes to the same.
 */
function journalPath(stateDirectory: string): string {
  return join(stateDirectory, 'wanted-journal.jsonl');
}

/** On disk when it returns. */
export function appendNews(stateDirectory: string, news: News): void {
  appendDurably(journalPath(stateDirectory), `${JSON.stringify(news)}\n`);
}

/** Everything in it stands in the file by now. */
export function dropNews(stateDirectory: string): void {
  rmSync(journalPath(stateDirectory), { force: true, recursive: true });
}

interface Read {
  /** With all that the journal of a run that died adds to it. */
  readonly file: WantedFile;
  /** What is wrong with that journal: then some of it is lost. */
  readonly journal: { readonly path: string; readonly why: string } | null;
}

export function readWanted(stateDirectory: string): Stored<Read> {
  const stored = readStored(wantedPath(stateDirectory), fileSchema);
  if (stored.status !== 'ok') return stored;
  const file = stored.value;
  const path = journalPath(stateDirectory);
  const journal = file.isOpen ? readOwnBytes(path) : ({ status: 'missing' } as const);
  if (journal.status === 'missing') return { status: 'ok', value: { file, journal: null } };
  if (journal.status === 'corrupt')
    return { status: 'ok', value: { file, journal: { path, why: journal.why } } };
  const { news, why } = newsIn(journal.value.toString('utf8'));
  const damage = why === null ? null : { path, why };
  return { status: 'ok', value: { file: withNews(file, news), journal: damage } };
}

/** A last line without an end is what a kill leaves: nobody has relied on it yet. */
function newsIn(text: string): { readonly news: readonly News[]; readonly why: string | null } {
  const lines = text.split('\n').slice(0, -1);
  const read = lines.map(newsOf);
  const news = read.filter((one) => one !== null);
  const damaged = read.indexOf(null);
  return { news, why: damaged === -1 ? null : `its line ${damaged + 1} is damaged` };
}

function newsOf(line: string): News | null {
  try {
    return newsSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function withNews(file: WantedFile, all: readonly News[]): WantedFile {
  const memos = new Map(Object.entries(file.memos));
  const held = new Map(Object.entries(file.held ?? {}));
  for (const news of all) {
    for (const [name, memo] of news.memos) replace(memos, name, memo);
    for (const [thing, marks] of news.held) replace(held, thing, marks.length > 0 ? marks : null);
  }
  return {
    ...file,
    memos: Object.fromEntries(memos),
    held: held.size === 0 ? undefined : Object.fromEntries(held),
  };
}

/** What was seen last stands last; `null` is taken out. */
export function replace<T>(map: Map<string, T>, name: string, value: T | null): void {
  map.delete(name);
  if (value !== null) map.set(name, value);
}
