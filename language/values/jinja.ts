/** The first construct of Jinja in a text, and what is written in its place. */
export interface Jinja {
  readonly offset: number;
  readonly message: string;
  readonly help: string;
}

const LOADS = 'put the value into a pillar file, or give it with "params:"';
const CALLS =
  'functions of the minion cannot be called: take the value from pillar, facts or minion';

/** By the word of a `{% … %}`. */
const STATEMENTS: ReadonlyMap<string, string> = new Map([
  ['if', 'write "when: \'{{ … }}\'" at the state, the ID, the include or the file'],
  ['for', 'write "each: \'{{ … }}\'" and "as: [name]" at the ID, or at the top of the file'],
  ['set', LOADS],
  ['import', LOADS],
  ['from', LOADS],
  ['import_yaml', LOADS],
  ['import_json', LOADS],
  ['load_yaml', LOADS],
  ['load_json', LOADS],
  ['include', 'write "include: [{file: a.b, params: {…}}]"'],
  ['macro', 'write a state file with "params:" and include it once for each set of params'],
  ['call', 'write a state file with "params:" and include it once for each set of params'],
  ['raw', 'write "\\\\{{" where two braces are meant'],
  ['do', LOADS],
]);

/** A `{% … %}`, with its word. */
export const JINJA_STATEMENT =
  /\{%[-+]?\s*(if|for|set|macro|import_yaml|import_json|import|from|include|raw|call|filter|do|load_yaml|load_json|with|block|extends|el(?:se|if)|end[a-z_]+)\b/u;
/** A `{# … #}`. */
export const JINJA_COMMENT = /(?<![$\w])\{#[-+\s]/u;
const EXPRESSION = /\{\{[-+]?([^}]*)\}\}/gu;

/** What only Jinja has within `{{ }}`, and what is written instead. */
const EXPRESSIONS: readonly (readonly [RegExp, string])[] = [
  [/\bsalt\s*[[.]/u, CALLS],
  [
    /\b(?:pillar|config)\.get\s*\(/u,
    'write {{ pillar.a.b }}, or {{ default pillar.a.b "otherwise" }}',
  ],
  [/\bgrains\b/u, 'write {{ facts.os }}: grains are called facts (`minion facts` prints them)'],
  [/\w\[/u, 'write {{ pillar.a.b }} for the value below "a" and "b"'],
  [/\w\(/u, CALLS],
  [/^(?!.*\bas \|).*\|/u, 'filters are helpers here and stand first: {{ lower name }}'],
];

/**
 * Where a file of Salt's would have to be rendered before it can be read as YAML; `null` if nowhere.
 * A comment may say what it likes.
 */
export function findJinja(text: string): Jinja | null {
  let offset = 0;
  for (const [number, line] of text.split('\n').entries()) {
    const found = number === 0 ? (otherRenderer(line) ?? inLine(line)) : inLine(line);
    if (found !== null) return { ...found, offset: offset + found.offset };
    offset += line.length + 1;
  }
  return null;
}

/** How to write an expression that only Jinja reads; `null` if there is none in the line. */
export function expressionHelp(line: string): string | null {
  return expression(line)?.help ?? null;
}

/** How to write what a line of Jinja says; `null` if there is none in it. */
export function jinjaHelp(line: string): string | null {
  return inLine(line)?.help ?? null;
}

const YAML_ONLY = /^#!\s*(?:yaml|jinja\s*\|\s*yaml)\s*$/u;

function otherRenderer(line: string): Jinja | null {
  if (!line.startsWith('#!') || YAML_ONLY.test(line)) return null;
  const help = 'a state file is YAML; what has to be computed stands in "{{ }}" in its values';
  return { offset: 0, message: `the renderer "${line.slice(2).trim()}" is not here`, help };
}

function inLine(line: string): Jinja | null {
  if (/^\s*#/u.test(line)) return null;
  return statement(line) ?? comment(line) ?? expression(line);
}

const FIRST_YAML = 'this is Jinja, which is not read here: YAML comes first, expressions after it';

function statement(line: string): Jinja | null {
  const match = JINJA_STATEMENT.exec(line);
  if (match === null) return null;
  const help = STATEMENTS.get(match[1] ?? '') ?? 'remove it';
  return { offset: match.index, message: FIRST_YAML, help };
}

function comment(line: string): Jinja | null {
  const match = JINJA_COMMENT.exec(line);
  if (match === null) return null;
  return { offset: match.index, message: FIRST_YAML, help: 'a comment begins with "# "' };
}

function expression(line: string): Jinja | null {
  for (const { index, 1: inside = '' } of line.matchAll(EXPRESSION)) {
    const bare = inside.replaceAll(/"[^"]*"|'[^']*'/gu, '""');
    const found = EXPRESSIONS.find(([sign]) => sign.test(bare));
    if (found !== undefined) return { offset: index, message: FIRST_YAML, help: found[1] };
  }
  return null;
}
