import { expressionHelp, JINJA_COMMENT, JINJA_STATEMENT } from './jinja.ts';

/** Jinja in a file for a host, and what a template has in its place. */
export interface Leftover {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly help: string;
}

const VALUES = 'give the value to the template with "context:", or name it: {{ pillar.a.b }}';
const LITERAL = String.raw`to have it on the host as it is, write {{"{%"}} for "{%"`;

/** By the word of a `{% … %}`. */
const STATEMENTS: ReadonlyMap<string, string> = new Map([
  ['if', '{{#if (eq a "b")}} … {{else}} … {{/if}}'],
  ['else', '{{else}}'],
  ['elif', '{{else if (eq a "c")}}'],
  ['endif', '{{/if}}'],
  ['for', '{{#each pillar.sites as |site name|}} … {{/each}}'],
  ['endfor', '{{/each}}'],
]);

/** What Jinja would have computed and Handlebars leaves as it is: statements and comments. */
export function findLeftover(text: string): Leftover | null {
  return firstIn(text, leftoverIn);
}

/** All that Jinja would have computed. */
export function findJinjaIn(text: string): Leftover | null {
  return firstIn(text, (line) => leftoverIn(line) ?? expressionIn(line));
}

type Found = { readonly at: number; readonly help: string };

function firstIn(text: string, look: (line: string) => Found | null): Leftover | null {
  if (!/\{[{%#]/u.test(text)) return null;
  for (const [index, line] of text.split('\n').entries()) {
    const found = look(line);
    if (found === null) continue;
    const message = 'this is Jinja: templates are written in Handlebars here';
    return { line: index + 1, column: found.at + 1, message, help: found.help };
  }
  return null;
}

function leftoverIn(line: string): Found | null {
  const statement = JINJA_STATEMENT.exec(line);
  if (statement !== null) {
    const instead = STATEMENTS.get(statement[1] ?? '');
    const help = instead === undefined ? VALUES : `write ${instead}`;
    return { at: statement.index, help: `${help}; ${LITERAL}` };
  }
  const comment = JINJA_COMMENT.exec(line);
  return comment === null ? null : { at: comment.index, help: 'write {{!-- … --}}' };
}

function expressionIn(line: string): Found | null {
  const at = line.indexOf('{{');
  const plain =
    'expressions look the same: say "template: handlebars", or let the name end in .hbs';
  return at === -1 ? null : { at, help: expressionHelp(line) ?? plain };
}
