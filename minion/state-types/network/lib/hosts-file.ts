/** The lines of /etc/hosts, each kept as it is until something of it changes. */

export interface HostsLine {
  /** As it stands in the file. */
  readonly text: string;
  /** `null` for lines that name nobody. */
  readonly ip: string | null;
  readonly names: readonly string[];
  /** What stands behind `#`; `null` if nothing does. */
  readonly comment: string | null;
}

export function parseHosts(text: string): readonly HostsLine[] {
  return text.replace(/\n$/u, '').split('\n').map(parseLine);
}

function parseLine(text: string): HostsLine {
  const [, entry = '', comment] = /^([^#]*)(?:#(.*))?$/u.exec(text) ?? [];
  const [ip = null, ...names] = entry.split(/\s+/u).filter((word) => word !== '');
  return { text, ip: names.length === 0 ? null : ip, names, comment: comment?.trim() ?? null };
}

export function writeHosts(lines: readonly HostsLine[]): string {
  const texts = lines.map(({ text }) => text);
  return texts.length === 1 && texts[0] === '' ? '' : `${texts.join('\n')}\n`;
}

/** The addresses of a name, and the comments on their lines. */
export function entriesOf(
  lines: readonly HostsLine[],
  name: string,
): ReadonlyMap<string, string | null> {
  const own = lines.filter(({ names }) => names.some((other) => isSame(other, name)));
  return new Map(own.flatMap(({ ip, comment }) => (ip === null ? [] : [[ip, comment] as const])));
}

/** All names of an address, in the order in which they stand in the file. */
export function namesOf(lines: readonly HostsLine[], ip: string): readonly string[] {
  return [...new Set(lines.filter((line) => line.ip === ip).flatMap(({ names }) => names))];
}

/** Without that name on lines of these addresses; a line that names nobody any more goes. */
export function withoutName(
  lines: readonly HostsLine[],
  name: string,
  isMeant: (ip: string) => boolean,
): readonly HostsLine[] {
  return lines.flatMap((line) => {
    if (line.ip === null || !isMeant(line.ip)) return [line];
    const names = line.names.filter((other) => !isSame(other, name));
    if (names.length === line.names.length) return [line];
    return names.length === 0 ? [] : [lineOf(line.ip, names, line.comment)];
  });
}

/** With that name for an address: on the line that the address has, or on a new one. */
export function withName(
  lines: readonly HostsLine[],
  name: string,
  ip: string,
): readonly HostsLine[] {
  const at = lines.findIndex((line) => line.ip === ip);
  const line = lines[at];
  if (line === undefined) return [...withoutEnd(lines), lineOf(ip, [name], null)];
  return lines.with(at, lineOf(ip, [...line.names, name], line.comment));
}

/** With that comment on every line that has the name for the address. */
export function withComment(
  lines: readonly HostsLine[],
  { name, ip, comment }: { name: string; ip: string; comment: string },
): readonly HostsLine[] {
  return lines.map((line) => {
    const isMeant = line.ip === ip && line.names.some((other) => isSame(other, name));
    return isMeant ? lineOf(ip, line.names, comment) : line;
  });
}

/** With one line for that address, which has exactly these names; none if there are none. */
export function withOnly(
  lines: readonly HostsLine[],
  ip: string,
  names: readonly string[],
): readonly HostsLine[] {
  const first = lines.find((line) => line.ip === ip);
  const one = names.length === 0 ? [] : [lineOf(ip, names, first?.comment ?? null)];
  if (first === undefined) return [...withoutEnd(lines), ...one];
  return lines.flatMap((line) => {
    if (line.ip !== ip) return [line];
    return line === first ? one : [];
  });
}

/** An empty file has one line without anything on it. */
function withoutEnd(lines: readonly HostsLine[]): readonly HostsLine[] {
  return lines.at(-1)?.text === '' ? lines.slice(0, -1) : lines;
}

function lineOf(ip: string, names: readonly string[], comment: string | null): HostsLine {
  const text = `${ip}\t${names.join(' ')}${comment === null ? '' : `\t# ${comment}`}`;
  return { text, ip, names, comment };
}

/** Names of hosts are the same in capitals and small letters. */
function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
