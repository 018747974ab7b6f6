import { unescaped } from '../../lib/mount-table.ts';

/** /etc/fstab. Bytes stand for themselves (Latin-1), so that lines of others stay as they are. */

export interface FstabEntry {
  readonly device: string;
  readonly path: string;
  readonly fstype: string;
  readonly opts: string;
  readonly dump: number;
  readonly pass: number;
}

/** One line without its spacing: what a state compares. */
export function showEntry({ device, path, fstype, opts, dump, pass }: FstabEntry): string {
  return `${escaped(device)} ${escaped(path)} ${fstype} ${opts} ${dump} ${pass}`;
}

/** Spaces and the like are written as octal digits. */
function escaped(text: string): string {
  return text.replaceAll(/[ \t\n\\#]/gu, octal);
}

function octal(mark: string): string {
  return `\\${(mark.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`;
}

function parseEntry(line: string): FstabEntry | null {
  const text = line.trim();
  const [device, path, fstype, opts = 'defaults', dump = '0', pass = '0'] = text.split(/[ \t]+/u);
  if (text.startsWith('#') || device === undefined || path === undefined || fstype === undefined)
    return null;
  return {
    device: unescaped(device),
    path: withoutSlash(unescaped(path)),
    fstype,
    opts,
    dump: Number(dump),
    pass: Number(pass),
  };
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/u, '') : path;
}

type Choice = (entry: FstabEntry) => boolean;

function isChosen(line: string, choice: Choice): boolean {
  const entry = parseEntry(line);
  return entry !== null && choice(entry);
}

/** The lines of the choice, as they would be written; several are told one below the other. */
export function linesOf(text: string, choice: Choice): string | null {
  const found = text
    .split('\n')
    .map(parseEntry)
    .filter((entry) => entry !== null && choice(entry))
    .flatMap((entry) => (entry === null ? [] : [showEntry(entry)]));
  return found.length === 0 ? null : found.join('\n');
}

/** The file with this one entry in place of the first of the choice, or at the end; without the others. */
export function withEntry(text: string, choice: Choice, entry: FstabEntry | null): string {
  const lines = text === '' ? [] : text.replace(/\n$/u, '').split('\n');
  const first = lines.findIndex((line) => isChosen(line, choice));
  const written = entry === null ? [] : [showEntry(entry)];
  const kept = lines.flatMap((line, at) => {
    if (at === first) return written;
    return isChosen(line, choice) ? [] : [line];
  });
  return [...kept, ...(first === -1 ? written : [])].map((line) => `${line}\n`).join('');
}
