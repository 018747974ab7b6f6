/** The rules of pg_hba.conf that Conductor looks after: a block of lines before all others. */

export interface HbaRule {
  readonly name: string;
  readonly order: number;
  readonly type: string;
  readonly database: readonly string[];
  readonly role: readonly string[];
  /** `null` for rules of type local. */
  readonly address: string | null;
  readonly method: string;
  /** `ident=map`, in order. */
  readonly options: readonly string[];
}

export interface HbaFile {
  /** By name. */
  readonly rules: ReadonlyMap<string, HbaRule>;
  /** Every other line. */
  readonly others: readonly string[];
}

const MARK = /\s# conductor (?<order>\d+) (?<name>\S.*)$/u;
const WORD = /"(?:[^"]|"")*",?|[^\s,"]+,?/gu;

export function parseHba(text: string): HbaFile {
  const rules = new Map<string, HbaRule>();
  const others: string[] = [];
  for (const line of text.replace(/\n$/u, '').split('\n')) {
    const rule = ruleOf(line);
    if (rule === null) others.push(line);
    else rules.set(rule.name, rule);
  }
  return { rules, others };
}

/** A line of ours; one that somebody has made a comment of, or broken, is none any more. */
function ruleOf(line: string): HbaRule | null {
  const mark = MARK.exec(line)?.groups;
  if (mark === undefined || line.startsWith('#')) return null;
  const title = { name: mark['name'] ?? '', order: Number(mark['order']) };
  const fields = fieldsOf(line.replace(MARK, ''));
  return fields.length < 4 ? null : { ...title, ...contentOf(fields) };
}

function contentOf(fields: readonly string[][]): Omit<HbaRule, 'name' | 'order'> {
  const [[type = ''] = [], database = [], role = [], ...rest] = fields;
  const words = rest.map((field) => field.join(','));
  const address = type === 'local' ? null : (words.shift() ?? '');
  const [method = '', ...options] = words;
  return { type, database, role, address, method, options };
}

/** The fields of a line, each the words between its commas. */
function fieldsOf(line: string): string[][] {
  const fields: string[][] = [];
  let isGoingOn = false;
  for (const [word] of line.trim().matchAll(WORD)) {
    const bare = unquoted(word.replace(/,$/u, ''));
    if (isGoingOn) fields.at(-1)?.push(bare);
    else fields.push([bare]);
    isGoingOn = word.endsWith(',');
  }
  return fields;
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word;
}

/** The file with exactly these rules of ours before all others, in their order and then by name. */
export function writeHba({ rules, others }: HbaFile): string {
  const ours = [...rules.values()]
    .toSorted((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1))
    .map(lineOf);
  return `${[...ours, ...others].join('\n')}\n`;
}

function lineOf({ name, order, type, address, method, options, ...rule }: HbaRule): string {
  const who = [rule.database, rule.role].map((words) => words.map(quoted).join(','));
  const how = [method, ...options.map(quotedOption)];
  const fields = [type, ...who, ...(address === null ? [] : [address]), ...how];
  return `${fields.join('\t')}\t# conductor ${order} ${name}`;
}

/** A comma would end the value. */
function quotedOption(option: string): string {
  return option.includes(',') ? `"${option}"` : option;
}

/** Words with a meaning of their own (`all`, `+group`, `@file`, `/regex`) keep it. */
function quoted(word: string): string {
  return /^[\w+@/.*$^\\-]+$/u.test(word) ? word : `"${word.replaceAll('"', '""')}"`;
}
