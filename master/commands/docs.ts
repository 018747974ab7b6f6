import type { Command } from 'commander';
import { WORD_MANUAL } from '../../language/states/word-manual.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Terminal } from '../cli/terminal.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import {
  manualPage,
  renderCommonWords,
  renderManualPage,
  type Documented,
  type ManualPage,
} from '../render/manual.ts';
import { renderTable } from '../render/table.ts';
import { z } from 'zod';

export function addDocs(program: Command, context: Context): void {
  const command = program
    .command('docs')
    .description(
      'the manual of state types: of Conductor’s and of those that the tree brings along',
    )
    .argument('[name]', 'a type (file.managed), a module (file), or "common"')
    .option('--search <word>', 'list the types whose manual speaks of this')
    .option('--tree <dir>', 'tree directory (default: from the configuration)')
    .addHelpText('after', EXAMPLES);
  withCommon(command).action(async (name: string | undefined, options: unknown) => {
    const { tree, search } = optionsSchema.parse(options);
    const { json, config } = await readCommon(context, options);
    const pages = [...(await typesFor(name, tree ?? config.tree)).values()].map(manualPage);
    const { terminal } = context;
    const answer = answerFor({ name, search }, pages, terminal);
    if (json) return terminal.out(JSON.stringify(answer.data));
    for (const line of answer.lines) terminal.out(line);
  });
}

const optionsSchema = z.object({ tree: z.string().optional(), search: z.string().optional() });

const EXAMPLES = `
Examples:
  $ master docs                    # all types
  $ master docs file               # those of one module
  $ master docs file.managed       # what it does, its arguments, an example
  $ master docs common             # requisites, guards and loops: what every state takes
  $ master docs --search symlink`;

interface Question {
  readonly name: string | undefined;
  readonly search: string | undefined;
}

interface Answer {
  readonly data: unknown;
  readonly lines: readonly string[];
}

function answerFor(
  { name, search }: Question,
  pages: readonly ManualPage[],
  terminal: Terminal,
): Answer {
  if (search !== undefined) return listOf(pages.filter(speaksOf(search)), terminal, search);
  if (name === undefined) return listOf(pages, terminal, 'all');
  if (name === 'common')
    return { data: Object.fromEntries(WORD_MANUAL), lines: renderCommonWords() };
  const page = pages.find((one) => one.name === name);
  if (page !== undefined) return { data: page, lines: renderManualPage(page) };
  const ofModule = pages.filter((one) => moduleOf(one) === name);
  if (ofModule.length > 0) return listOf(ofModule, terminal, name);
  const alike = pages.filter((one) => one.name.startsWith(`${name}_`));
  if (alike.length > 0) return listOf(alike, terminal, name);
  const names = pages.flatMap((one) => [one.name, moduleOf(one)]);
  const message = `Cannot explain "${name}": there is no such state type`;
  throw new ConductorError('NOT_FOUND', `${message}${didYouMean(name, names)}`);
}

function moduleOf({ name }: ManualPage): string {
  return name.slice(0, name.indexOf('.'));
}

/** In its name, its paragraph or its arguments. */
function speaksOf(search: string): (page: ManualPage) => boolean {
  const word = search.toLowerCase();
  return ({ name, description, arguments: all }) =>
    [name, description, ...all.flatMap((one) => [one.name, one.description])].some((text) =>
      text.toLowerCase().includes(word),
    );
}

function listOf(pages: readonly ManualPage[], terminal: Terminal, what: string): Answer {
  if (pages.length === 0) {
    throw new ConductorError('NOT_FOUND', `Cannot find "${what}": no state type speaks of it`);
  }
  const rows = pages.map(({ name, description }) => [name, firstSentence(description)]);
  return { data: pages, lines: renderTable(['type', 'what it does'], rows, terminal) };
}

function firstSentence(text: string): string {
  return /^.*?\.(?=\s|$)/su.exec(text)?.[0].replaceAll('\n', ' ') ?? text;
}

/** With those of the tree, unless what is asked for comes with Conductor. */
async function typesFor(
  type: string | undefined,
  directory: string,
): Promise<ReadonlyMap<string, Documented>> {
  const { stateTypes } = await import('../../minion/state-types/index.ts');
  if (type !== undefined && stateTypes.has(type)) return stateTypes;
  const { documentedTypes } = await import('../tree-manual.ts');
  const own = await documentedTypes(directory);
  return new Map([...stateTypes, ...own.map((one) => [one.name, one] as const)]);
}
