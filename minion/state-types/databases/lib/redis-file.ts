/** The lines of redis.conf: one directive each, the others kept as they are. */

/** What is declared of one directive: each of its lines. */
export type Settings = ReadonlyMap<string, readonly string[]>;

/** The values of a directive, in order; an empty list if the file does not name it. */
export function valuesOf(text: string, directive: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const found = directiveOf(line);
    return found?.name === directive ? [found.value] : [];
  });
}

/** The file with these values: where the directive stood, else behind its comment or at the end. */
export function withSettings(text: string, settings: Settings): string {
  let lines = text.replace(/\n$/u, '').split('\n');
  for (const [directive, values] of settings) lines = withDirective(lines, directive, values);
  return `${lines.join('\n')}\n`;
}

function withDirective(
  lines: readonly string[],
  directive: string,
  values: readonly string[],
): string[] {
  const isMeant = (line: string): boolean => directiveOf(line)?.name === directive;
  const wanted = values.map((value) => `${directive} ${value}`);
  const at = lines.findIndex(isMeant);
  if (at === -1) return [...lines, ...wanted];
  return lines.flatMap((line, index) => {
    if (!isMeant(line)) return [line];
    return index === at ? wanted : [];
  });
}

function directiveOf(line: string): { name: string; value: string } | null {
  const [, name, value = ''] = /^\s*([A-Za-z][\w-]*)(?:\s+(.*?))?\s*$/u.exec(line) ?? [];
  return name === undefined ? null : { name: name.toLowerCase(), value };
}

/** A value as the file has it: quoted if it would be taken for several words or none. */
export function quoted(value: string): string {
  if (/^[^\s"'\\#]+$/u.test(value)) return value;
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `"${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`;
}
