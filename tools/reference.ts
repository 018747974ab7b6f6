import { WORD_MANUAL } from '../language/states/word-manual.ts';
import { HELPERS } from '../language/expressions/helpers.ts';
import { manualPage, valueWords } from '../master/render/manual.ts';
import type { ManualArgument, ManualPage } from '../master/render/manual.ts';
import { stateTypes } from '../minion/state-types/index.ts';
import { ERRORS } from '../shared/errors.ts';
import { schemaFiles } from './schemas.ts';

/** The pages of the reference and the schemas for editors, by path below `docs/`: all of it stands in the code. */
export function referencePages(): Map<string, string> {
  const pages = new Map<string, string>();
  for (const [module, states] of byModule()) {
    pages.set(`states/${module}.md`, modulePage(module, states));
  }
  pages.set('states/index.md', indexPage());
  pages.set('states/common.md', commonPage());
  pages.set('reference-helpers.md', helpersPage());
  pages.set('reference-errors.md', errorsPage());
  for (const [path, text] of schemaFiles()) pages.set(path, text);
  return pages;
}

function byModule(): Map<string, ManualPage[]> {
  const modules = new Map<string, ManualPage[]>();
  for (const type of [...stateTypes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const [module = ''] = type.name.split('.');
    modules.set(module, [...(modules.get(module) ?? []), manualPage(type)]);
  }
  return modules;
}

const MADE = '<!-- Made from the code by `npm run docs`: edit the schema, not this page. -->';

function modulePage(module: string, states: readonly ManualPage[]): string {
  return [MADE, '', `# ${module}`, '', ...states.flatMap(statePage)].join('\n');
}

function statePage({ name, description, arguments: all, example }: ManualPage): string[] {
  const taken = all.filter(({ isRefused }) => !isRefused);
  const refused = all.filter(({ isRefused }) => isRefused);
  return [
    `## ${name}`,
    '',
    description,
    '',
    ...(taken.length === 0 ? [] : ['| argument | value | meaning |', '|---|---|---|']),
    ...taken.map(argumentRow),
    ...(taken.length === 0 ? [] : ['']),
    ...refused.map((row) => `- \`${row.name}\` is not taken. ${row.description}`),
    ...(refused.length === 0 ? [] : ['']),
    '```yaml',
    example.trimEnd(),
    '```',
    '',
  ];
}

function argumentRow(row: ManualArgument): string {
  return `| \`${row.name}\` | ${cell(valueWords(row))} | ${cell(row.description)} |`;
}

/** A text as one cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function indexPage(): string {
  const lines = [...byModule()].map(
    ([module, states]) =>
      `- [${module}](${module}.md): ${states.map(({ name }) => `\`${name}\``).join(', ')}`,
  );
  return [
    MADE,
    '',
    '# State types',
    '',
    'The same on a terminal: `master docs`, `master docs file.managed`.',
    '',
    ...lines,
    '',
    'Every state also takes [requisites, guards and loops](common.md).',
    '',
  ].join('\n');
}

function commonPage(): string {
  return [
    MADE,
    '',
    '# What every state takes',
    '',
    'The same on a terminal: `master docs common`. A reference is an ID, `{module: ID-or-name}`, `{file: a.b}`',
    '(all states of a state file), or a glob of these.',
    '',
    '| word | meaning |',
    '|---|---|',
    ...[...WORD_MANUAL].map(([word, text]) => `| \`${word}\` | ${cell(text)} |`),
    '',
  ].join('\n');
}

function helpersPage(): string {
  const rows = Object.values(HELPERS).map(
    ({ usage, says, example: [expression, gives] }) =>
      `| \`${usage}\` | ${cell(says)} | \`{{${cell(expression)}}}\` gives \`${cell(gives)}\` |`,
  );
  return [
    MADE,
    '',
    '# Helpers in expressions and templates',
    '',
    'This list is closed: any other helper is an error when the tree is loaded.',
    '',
    '| helper | what it gives | for example |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  const title = '# Error codes\n\nIn reports, in `--json` output and in logs.';
  return [MADE, '', title, '', '| code | meaning |', '|---|---|', ...rows, ''].join('\n');
}
