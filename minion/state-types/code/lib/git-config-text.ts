import { randomUUID } from 'node:crypto';
import type { Host } from '../../../host/host.ts';

/** One change of a setting. Nothing of it but the key and the pattern may stand on a command line. */
export interface ConfigEdit {
  /** `section.Subsection.key`. */
  readonly name: string;
  /** All that it is to have. */
  readonly values: readonly string[];
  /** Of the values that it has, only those that this expression matches go; all if `null`. */
  readonly pattern: string | null;
}

/** Sections and keys are the same in letters of any case; what stands between them is not. */
export function canonicalName(name: string): string {
  const { section, sub, key } = partsOf(name);
  return [section.toLowerCase(), ...(sub === null ? [] : [sub]), key.toLowerCase()].join('.');
}

function partsOf(name: string) {
  const [first, last] = [name.indexOf('.'), name.lastIndexOf('.')];
  const sub = first === last ? null : name.slice(first + 1, last);
  return { section: name.slice(0, first), sub, key: name.slice(last + 1) };
}

/**
 * The text of a configuration (its bytes, as Latin-1) with a setting changed by git itself, in a copy that nobody else can read. There, words
 * of chance stand for values and for what may be an address with a token in it: git takes both on its command line,
 * for all to see.
 */
export async function edited(text: string, edit: ConfigEdit, host: Host): Promise<string> {
  const { section, sub, key } = partsOf(edit.name);
  const place = wordOfChance();
  const header = sub === null ? null : `"${escapedQuotes(encoded(sub))}"`;
  const name = [section, ...(sub === null ? [] : [place]), key].join('.');
  const words = edit.values.map(() => wordOfChance());
  const copy = header === null ? text : text.replaceAll(`${header}]`, () => `"${place}"]`);
  try {
    await clear(host);
    await host.writeFile(COPY, Buffer.from(copy, 'latin1'), {
      user: 'root',
      group: 'root',
      mode: '0600',
    });
    for (const how of commandsFor(name, words, edit.pattern))
      await host.run(['git', 'config', '--file', COPY, ...how], { cwd: '/' });
    const changed = Buffer.from((await host.readFile(COPY)) ?? []).toString('latin1');
    const placed = changed.replaceAll(`"${place}"`, () => header ?? '');
    return words.reduce(
      (all, word, index) =>
        all.replaceAll(word, () => valueText(encoded(edit.values[index] ?? ''))),
      placed,
    );
  } finally {
    await clear(host);
  }
}

/** In memory, and always the same: what a killed run has left there is taken away by the next one. */
const COPY = '/run/conductor-git-config';

async function clear(host: Host): Promise<void> {
  for (const path of [`${COPY}.lock`, COPY]) await host.remove(path);
}

function commandsFor(
  name: string,
  [first, ...others]: readonly string[],
  pattern: string | null,
): readonly (readonly string[])[] {
  if (first === undefined) return [['--unset-all', name, ...(pattern === null ? [] : [pattern])]];
  return [['--replace-all', name, first], ...others.map((word) => ['--add', name, word])];
}

/** Bytes stand for themselves (Latin-1): what others have written goes back as it came. */
function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** It needs no quotes in a file of git's. */
function wordOfChance(): string {
  return `x${randomUUID().replaceAll('-', '')}`;
}

/** A value as git reads it back, wherever it stands. */
function valueText(value: string): string {
  if (/^[^\s"\\;#](?:[^"\\;#\n\t]*[^\s"\\;#])?$/u.test(value)) return value;
  const escaped = escapedQuotes(value)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`);
  return `"${escaped}"`;
}

function escapedQuotes(text: string): string {
  return text.replaceAll(/["\\]/gu, String.raw`\$&`);
}
