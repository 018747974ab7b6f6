import { COMMON_WORDS } from '../language/states/words.ts';
import { HELPERS } from '../language/expressions/helpers.ts';
import { manualPage } from '../master/render/manual.ts';
import type { ManualArgument, ManualPage } from '../master/render/manual.ts';
import { stateTypes } from '../minion/state-types/index.ts';
import { ERRORS } from '../shared/errors.ts';

/** The pages of the reference, by path below `docs/`: all of it stands in the code. */
export function referencePages(): Map<string, string> {
  const pages = new Map<string, string>();
  for (const [module, states] of byModule()) {
    pages.set(`states/${module}.md`, modulePage(module, states));
  }
  pages.set('states/index.md', indexPage());
  pages.set('reference-helpers.md', helpersPage());
  pages.set('reference-errors.md', errorsPage());
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

function statePage({ name, description, arguments: rows, example }: ManualPage): string[] {
  return [
    `## ${name}`,
    '',
    description,
    '',
    '| argument | value | meaning |',
    '|---|---|---|',
    ...rows.map(argumentRow),
    '',
    '```yaml',
    example.trimEnd(),
    '```',
    '',
  ];
}

function argumentRow(row: ManualArgument): string {
  const notes = [
    row.isRequired ? '**required**' : '',
    row.default === null ? '' : `default \`${JSON.stringify(row.default)}\``,
    row.isSecret ? 'secret' : '',
  ].filter((note) => note !== '');
  const value = cell([row.type, ...notes].join(', '));
  return `| \`${row.name}\` | ${value} | ${cell(row.description)} |`;
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
  const words = [...COMMON_WORDS].map((word) => `\`${word}\``).join(' ');
  return [
    MADE,
    '',
    '# State types',
    '',
    'The same on a terminal: `master docs`, `master docs file.managed`.',
    '',
    ...lines,
    '',
    `Every state also takes: ${words}. What they mean: [writing states](../writing-states.md).`,
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
