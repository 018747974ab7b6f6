import type { HostView } from '../../../host/host.ts';
import { hideLogins, withoutLogin } from './credentials.ts';
import { parseLine, parseStanza, renderLines, renderStanza } from './source-entry.ts';
import type { SourceEntry } from './source-entry.ts';

const DIRECTORY = '/etc/apt/sources.list.d';
const MAIN = '/etc/apt/sources.list';

/** A piece of a file of sources: an entry, or whatever else stands there. */
interface Part {
  readonly text: string;
  readonly entry: SourceEntry | null;
}

/** A file of sources in pieces: lines, or stanzas of a file in the deb822 form. */
export interface SourceFile {
  readonly path: string;
  readonly parts: readonly Part[];
}

export function isDeb822(path: string): boolean {
  return path.endsWith('.sources');
}

export function parseFile(path: string, text: string): SourceFile {
  const isStanzas = isDeb822(path);
  const texts =
    text.trim() === '' ? [] : text.trimEnd().split(isStanzas ? /\n(?:[ \t]*\n)+/u : '\n');
  const parse = isStanzas ? parseStanza : parseLine;
  return { path, parts: texts.map((one) => ({ text: one, entry: parse(one) })) };
}

function renderFile({ path, parts }: SourceFile): string {
  const text = parts.map((part) => part.text).join(isDeb822(path) ? '\n\n' : '\n');
  return text === '' ? '' : `${text}\n`;
}

/** How an entry is written in that file: what is compared, and what a difference shows. */
export function renderEntry(path: string, entry: SourceEntry): string {
  const lines = isDeb822(path) ? renderStanza(entry) : renderLines(entry);
  return `${lines.join('\n')}\n`;
}

/** The same as it may be shown: what others have written may hold a password. */
export function showEntry(path: string, entry: SourceEntry): string {
  return hideLogins(renderEntry(path, entry));
}

/** Whether two entries are about the same packages: type, URI and suite, whatever else they say. */
function isSame(one: SourceEntry, other: SourceEntry): boolean {
  const keys = [one, other].map(({ types, uris, suites }) =>
    [types, uris.map(withoutLogin), suites].map((list) => list.toSorted().join(' ')).join('\n'),
  );
  return keys[0] === keys[1];
}

/** The entries of a file that are about the same. */
export function findIn(file: SourceFile, wanted: SourceEntry): readonly SourceEntry[] {
  return file.parts.flatMap(({ entry }) =>
    entry !== null && isSame(entry, wanted) ? [entry] : [],
  );
}

/** The text of a file with one entry in place of all that are about the same, or without them. */
export function replaceIn(
  file: SourceFile,
  wanted: SourceEntry,
  instead: SourceEntry | null,
): string {
  const isOther = ({ entry }: Part): boolean => entry === null || !isSame(entry, wanted);
  const own =
    instead === null ? [] : [{ text: renderEntry(file.path, instead).trimEnd(), entry: instead }];
  const at = file.parts.findIndex((part) => !isOther(part));
  const others = file.parts.filter(isOther);
  const place = at === -1 ? others.length : at;
  return renderFile({
    path: file.path,
    parts: [...others.slice(0, place), ...own, ...others.slice(place)],
  });
}

/** A file of sources; without pieces if there is none. */
export async function readSourceFile(path: string, host: HostView): Promise<SourceFile> {
  const bytes = await host.readFile(path);
  return parseFile(path, bytes === null ? '' : Buffer.from(bytes).toString());
}

/** All files in which apt looks for sources. */
export async function readSourceFiles(host: HostView): Promise<readonly SourceFile[]> {
  const names = (await host.list(DIRECTORY)) ?? [];
  const own = names.filter((name) => /\.(?:list|sources)$/u.test(name));
  const paths = [MAIN, ...own.map((name) => `${DIRECTORY}/${name}`)];
  return Promise.all(paths.map((path) => readSourceFile(path, host)));
}
