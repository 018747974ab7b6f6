/** /etc/environment, as pam_env reads it. Bytes stand for themselves (Latin-1). */

const ASSIGNMENT = /^\s*(?:export\s+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)=(?<value>.*?)\s*$/u;

/** By name; of several lines with one name the last counts. */
export function variablesIn(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const { name, value = '' } = ASSIGNMENT.exec(line)?.groups ?? {};
    if (name !== undefined) found.set(name, decoded(unquoted(value)));
  }
  return found;
}

function unquoted(value: string): string {
  return value.replace(/^(?<quote>["'])(?<value>.*)\k<quote>$/u, '$2');
}

function decoded(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** The file with these variables, and without those that are `null`; other lines stay as they are. */
export function withVariables(
  text: string,
  variables: { readonly [name: string]: string | null | undefined },
): string {
  const left = new Map(Object.entries(variables));
  const lines = text === '' ? [] : text.replace(/\n$/u, '').split('\n');
  const kept = lines.flatMap((line) => {
    const name = ASSIGNMENT.exec(line)?.groups?.['name'];
    const value = name === undefined ? undefined : variables[name];
    if (name === undefined || value === undefined) return [line];
    const isFirst = left.delete(name);
    return isFirst && value !== null ? [assignment(name, value)] : [];
  });
  const added = [...left].flatMap(([name, value]) =>
    typeof value === 'string' ? [assignment(name, value)] : [],
  );
  return [...kept, ...added].map((line) => `${line}\n`).join('');
}

function assignment(name: string, value: string): string {
  const written = /^[\w@%+=:,./-]*$/u.test(value) ? value : `"${value}"`;
  return `${name}=${Buffer.from(written, 'utf8').toString('latin1')}`;
}
