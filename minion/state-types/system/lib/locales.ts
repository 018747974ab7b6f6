/** Names of locales: `he_IL.UTF-8` to people, `he_IL.UTF-8 UTF-8` to locale-gen, `he_IL.utf8` to `locale -a`. */

/** The line of the list of supported locales for a name; `null` if there is none. */
export function supportedLine(name: string, supported: string): string | null {
  const lines = supported.split('\n').map((line) => line.trim());
  if (name.includes(' ')) return lines.includes(name) ? name : null;
  return lines.find((line) => line.split(' ')[0] === name) ?? null;
}

/** Whether `locale -a` lists it. */
export function isGenerated(name: string, list: string): boolean {
  const wanted = plainName(name);
  return list.split('\n').some((line) => plainName(line) === wanted);
}

/** As libc compares: the character set without capitals and marks. */
function plainName(name: string): string {
  const [, language = '', set = '', modifier = ''] =
    /^(?<language>[^.@ ]*)(?<set>\.[^@ ]*)?(?<modifier>@[^ ]*)?/u.exec(name.trim()) ?? [];
  return `${language}${set.toLowerCase().replaceAll(/[^a-z0-9.]/gu, '')}${modifier}`;
}

/** The list with this locale in it: a line that is switched off is switched on. */
export function withLocaleLine(text: string, line: string): string {
  const lines = text === '' ? [] : text.replace(/\n$/u, '').split('\n');
  if (lines.some((one) => one.trim() === line)) return text;
  const off = lines.findIndex((one) => one.replace(/^\s*#+\s*/u, '').trim() === line);
  return `${(off === -1 ? [...lines, line] : lines.with(off, line)).join('\n')}\n`;
}

/** LANG in /etc/default/locale; `null` if it is not set there. */
export function defaultLocale(text: string): string | null {
  const line = text.split('\n').findLast((one) => /^\s*(?:export\s+)?LANG=/u.test(one));
  const value = line?.slice(line.indexOf('=') + 1).trim();
  return value === undefined ? null : value.replace(/^(?<quote>["'])(?<value>.*)\k<quote>$/u, '$2');
}
