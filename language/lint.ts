import { readArguments, readStates, type Written } from './states/arguments.ts';
import type { Lint } from './linting/lint-context.ts';
import { checkLiteral } from './linting/lint-state.ts';
import { lintTogether } from './linting/lint-together.ts';
import { lintTop } from './linting/lint-top.ts';
import { reachedNames } from './linting/reached.ts';
import { checkSyntax, hasExpression } from './expression.ts';
import { absoluteName, includedNodes } from './states/include.ts';
import { textOf, type Entry, type Node } from './values/node.ts';
import { declaredParams } from './states/params.ts';
import { readPillarFile } from './pillar.ts';
import { lintSchedule } from './pillars/pillar-schedule.ts';
import { collectProblems, Mistake, type Problem } from './problem.ts';
import { workshop as openWorkshop } from './expressions/scope.ts';
import { isLoopWord, readStateFile, type StateFile } from './state-file.ts';
import type { StateSchemas } from './state-schema.ts';
import { readTemplate } from './template.ts';
import { expand, missingFile } from './top.ts';
import { nameOf, namedFiles } from './states/tree-files.ts';
import type { Tree } from './tree.ts';

/**
 * Every mistake that can be found without a minion: in the YAML and expressions of all files, in
 * top files, templates and includes, and in states as far as they are written literally. Where the
 * state types are only a part of the tree's, those of unknown modules are taken on trust.
 */
export function lint(
  tree: Tree,
  states: StateSchemas,
  { isPartial = false }: { readonly isPartial?: boolean } = {},
): readonly Problem[] {
  const problems = collectProblems(tree);
  const named = namedFiles(tree, 'states');
  const texts = [...named.values()].flat().map((path) => textOfFile(tree, path));
  const reached = reachedNames(tree, named);
  const isSource = (path: string) =>
    !reached.has(nameOf('states', path) ?? '') &&
    texts.some((text) => text.includes(`salt://${path.slice('states/'.length)}`));
  const known = new Map([...named].filter(([, [path = '']]) => !isSource(path)));
  const workshop = openWorkshop(problems);
  const context: Lint = {
    tree,
    states,
    problems,
    known,
    workshop,
    isPartial,
    keysByType: new Map(),
    guardsElsewhere: texts.some((text) => GUARDING.test(text)),
    argumentsElsewhere: texts.some((text) => GIVING.test(text)),
  };
  lintTop(context, 'states');
  lintTop(context, 'pillars');
  lintNames(context, isSource);
  for (const [name, [path = '']] of known) lintStateFile(name, path, context);
  for (const [name, [path = '']] of namedFiles(tree, 'pillars'))
    lintPillarFile(name, path, context);
  lintTemplates(context);
  if (!isPartial) lintTogether(context);
  return problems.list();
}

const GUARDING = /(?:onchanges|onfail|prereq)[a-z_]*_in\b|^extend:/mu;

const GIVING = /\buse_in\b/u;

function textOfFile(tree: Tree, path: string): string {
  return new TextDecoder().decode(tree.read(path) ?? new Uint8Array());
}

/** A file that no name can reach is forgotten more easily than found. */
function lintNames({ tree, problems }: Lint, isSource: (path: string) => boolean): void {
  for (const { path } of tree.manifest) {
    const folder = (['states', 'pillars'] as const).find((one) => path.startsWith(`${one}/`));
    if (folder === undefined || isSource(path)) continue;
    const place = { file: path, line: 1, column: 1 };
    const isYaml = /\.(?:yaml|sls)$/u.test(path);
    if (isYaml && nameOf(folder, path) === null) {
      const help = 'a dot in it would divide the name: rename it';
      problems.add(place, 'no name can refer to this file', { help });
    } else if (path.endsWith('.yml')) {
      problems.add(place, 'this file is not read', { help: 'name it .yaml' });
    }
  }
}

function lintPillarFile(name: string, path: string, { tree, problems, workshop }: Lint): void {
  const place = { file: path, line: 1, column: 1 };
  const node = readPillarFile(tree, { name, place }, problems);
  if (node === null) return;
  checkSyntax(node, workshop);
  lintSchedule(node, problems);
}

function lintTemplates({ tree, problems, workshop }: Lint): void {
  for (const { path } of tree.manifest) {
    if (!path.startsWith('templates/') || !path.endsWith('.hbs')) continue;
    try {
      readTemplate(path, tree.read(path) ?? new Uint8Array(), workshop);
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      problems.add(error.place, error.message, { help: error.help });
    }
  }
}

function lintStateFile(name: string, path: string, context: Lint): void {
  const { tree, problems, workshop } = context;
  const file = readStateFile(tree, { name, place: { file: path, line: 1, column: 1 } }, problems);
  if (file === null) return;
  declaredParams(file, workshop);
  checkSyntax(file.node, workshop);
  lintIncludes(file, context);
  for (const entry of file.states) lintId(entry, context, { isExtension: false });
  for (const entry of file.extend?.entries ?? []) lintId(entry, context, { isExtension: true });
}

function lintIncludes({ include, name, path }: StateFile, { known, problems }: Lint): void {
  for (const node of includedNodes(include)) {
    const text = textOf(node);
    if (text === null || hasExpression(text)) continue;
    const absolute = absoluteName(text, { name, path });
    const place = node.place;
    if (expand({ name: absolute, place }, known).some((one) => known.has(one.name))) continue;
    missingFile({ name: absolute, place }, { known, folder: 'states', problems });
  }
}

function lintId(
  { key, keyNode, value }: Entry,
  context: Lint,
  { isExtension }: { isExtension: boolean },
): void {
  const where = { problems: context.problems, chain: [] };
  for (const written of readStates(key, withoutLoop(value), { ...where, isExtension })) {
    const args = isComputed(written) ? null : readArguments(written.node, written.type, where);
    checkLiteral({ id: key, idPlace: keyNode.place, written, args, isExtension }, context);
  }
}

function withoutLoop(node: Node): Node {
  if (node.kind !== 'mapping') return node;
  return { ...node, entries: node.entries.filter(({ key }) => !isLoopWord(key)) };
}

function isComputed({ node }: Written): boolean {
  return hasExpression(textOf(node));
}
