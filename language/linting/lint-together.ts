import { isDynamic } from '../expression.ts';
import { workshop as openWorkshop } from '../expressions/scope.ts';
import { resolveRequisites } from '../requisites.ts';
import { collectProblems } from '../problem.ts';
import { readStateFile, type StateFile } from '../state-file.ts';
import { refuseBelowGone } from '../states/below-gone.ts';
import { CONDITIONS } from '../states/declare.ts';
import type { Draft } from '../states/draft.ts';
import { refuseDuplicates } from '../states/extend.ts';
import { refuseFightingEdits } from '../states/fighting-edits.ts';
import { registerOf } from '../states/references.ts';
import { refusePermits } from '../states/permits.ts';
import { refuseRivals } from '../states/rivals.ts';
import { refuseCircles } from '../states/sequence.ts';
import { checkAll } from '../states/surroundings.ts';
import { isGlob } from '../values/glob.ts';
import { drafted } from './drafted.ts';
import { groupsOf, plainIncludes } from './groups.ts';
import type { Lint } from './lint-context.ts';
import { lintReferences } from './lint-references.ts';
import { touchedElsewhere, type Touched } from './touched.ts';
import { extensionsIn, writtenIn, type WrittenHere } from './written-states.ts';

/**
 * Reports what is wrong between states, as far as that holds for every minion that gets them: requisites to nothing and in
 * circles, IDs that are declared twice, states that undo each other. What a value decides is left to the
 * compiler, which knows it.
 */
export function lintTogether(context: Lint): void {
  const files = filesOf(context);
  const quiet = collectProblems(context.tree);
  const all = [...files.values()].flatMap((file) => writtenIn(file, quiet));
  const extensions = [...files.values()].flatMap((file) => extensionsIn(file, quiet));
  if (areAllThere(files, context)) lintReferences(all, extensions, context);
  const touched = touchedElsewhere(all, extensions, quiet);
  for (const group of groupsOf(files, context)) lintGroup(group, touched, context);
}

/** What a file declares that is missing, or cannot be read, nobody knows. */
function areAllThere(files: ReadonlyMap<string, StateFile>, { known }: Lint): boolean {
  if (files.size < known.size) return false;
  return [...files.values()].every((file) =>
    plainIncludes(file).every((name) => isGlob(name) || known.has(name)),
  );
}

function filesOf({ known, tree }: Lint): ReadonlyMap<string, StateFile> {
  const problems = collectProblems(tree);
  return new Map(
    [...known].flatMap(([name, [path = '']]) => {
      const place = { file: path, line: 1, column: 1 };
      const file = readStateFile(tree, { name, place }, problems);
      return file === null ? [] : [[name, file] as const];
    }),
  );
}

function lintGroup(files: readonly StateFile[], touched: Touched, context: Lint): void {
  const { problems, tree } = context;
  const quiet = collectProblems(tree);
  const written = files.flatMap((file) => writtenIn(file, quiet)).filter(({ isSure }) => isSure);
  const states = written.flatMap((one) => drafted(one, quiet));
  refuseDuplicates(states, problems);
  // What is left out has no part in a circle, and undoes nothing.
  if (files.some(({ exclude }) => exclude !== null)) return;
  const named = written
    .filter(({ args }) => !hasComputedName(args))
    .flatMap((one) => drafted(one, quiet));
  const register = registerOf(named, new Set(files.map(({ name }) => name)));
  const requisites = resolveRequisites(named, register, quiet);
  refuseCircles({ requisites, drafts: named, problems });
  if (touched.isEverything) return;
  const plain = named.filter((draft) => isPlain(draft, context) && !touched.has(draft));
  const workshop = openWorkshop(quiet);
  const checked = checkAll(plain, { ...context, workshop, requisites, isRendered: false });
  const together = { states: context.states, requisites, problems };
  refusePermits(checked, together);
  refuseBelowGone(checked, together);
  refuseFightingEdits(checked, refuseRivals(checked, together), together);
}

function hasComputedName(args: WrittenHere['args']): boolean {
  return ['name', 'names'].some((word) => {
    const entry = args.get(word);
    return entry !== undefined && isDynamic(entry.value);
  });
}

/** Nothing of it comes from a value, a template, the pillar or another state. */
function isPlain({ type, args }: Draft, { states }: Lint): boolean {
  const schema = states.get(type);
  const elsewhere = [
    ...(schema?.treeFiles ?? []),
    ...(schema?.treeFileLists ?? []),
    ...(schema?.treeDirectories ?? []),
    ...(schema?.pillarPaths ?? []),
  ];
  const unclear = new Set([...elsewhere, ...CONDITIONS, 'use']);
  return [...args].every(([word, { value }]) => !unclear.has(word) && !isDynamic(value));
}
