import { ConductorError } from '../shared/errors.ts';
import { secretTexts, type DataMapping } from './values/data.ts';
import type { Catalog } from './declaration.ts';
import type { Checked } from './states/declare.ts';
import { draftsOf, refuseTwins, type Draft } from './states/draft.ts';
import { expandInstance, extensionsOf, type State } from './states/expand.ts';
import { applyExcludes, applyExtensions, refuseDuplicates } from './states/extend.ts';
import { loadFiles, type Instance, type Roots } from './states/load.ts';
import type { CompiledPillar, Minion, PillarValue } from './pillar.ts';
import { provenanceOf } from './pillars/provenance.ts';
import { collectProblems, refuseProblems, type Problems } from './problem.ts';
import { registerOf } from './states/references.ts';
import { refusePermits } from './states/permits.ts';
import { refuseBelowGone } from './states/below-gone.ts';
import { refuseFightingEdits } from './states/fighting-edits.ts';
import { refuseRivals } from './states/rivals.ts';
import { applyUse, resolveRequisites } from './requisites.ts';
import { workshop as openWorkshop, type Scope, type Workshop } from './expressions/scope.ts';
import { sequenceOf } from './states/sequence.ts';
import { checkAll } from './states/surroundings.ts';
import type { StateSchemas } from './state-schema.ts';
import { filesFor, readTop, topPath } from './top.ts';
import type { Tree } from './tree.ts';

export interface CompileInput {
  readonly tree: Tree;
  readonly minion: Minion;
  readonly facts: DataMapping;
  readonly pillar: PillarValue;
  /** Where the pillar's values were set, if that is known: mistakes in them are told there too. */
  readonly origins?: CompiledPillar['origins'];
  readonly states: StateSchemas;
  /** Files to apply in place of the top file's; empty means the top file. */
  readonly stateFiles: readonly string[];
  /** For the `params` that the applied files declare. */
  readonly params: DataMapping;
  /** The number of a port by its name: the same for the same name. */
  readonly allocatePort: (name: string) => number;
}

/**
 * All that one minion is to be, in the order in which it is converged. Pure but for `allocatePort`.
 * Throws TREE_INVALID with every mistake there is: then nothing of it may be used.
 */
export function compile(input: CompileInput): Catalog {
  const problems = collectProblems(input.tree);
  const provenance = provenanceOf(input.pillar, input.origins ?? new Map());
  const { workshop, ports } = portsRemembered(
    openWorkshop(problems, input.allocatePort, provenance),
  );
  const roots = rootFiles(input, problems);
  const instances = loadFiles(roots, { tree: input.tree, workshop, scope: scopeOf(input) });
  const states = assemble(instances, workshop);
  const { drafts, requisites } = relate(states, instances, problems);
  const declaring = { ...input, workshop, requisites, keysByType: new Map(), isRendered: true };
  const checked = checkAll(drafts, declaring);
  const together = { states: input.states, requisites, problems };
  refusePermits(checked, together);
  refuseBelowGone(checked, together);
  refuseFightingEdits(checked, refuseRivals(checked, together), together);
  const secrets = [...new Set([...secretTexts(input.pillar), ...workshop.secrets])];
  const declarations = sequenceOf(checked, { requisites, drafts, problems });
  declarePorts(checked, workshop);
  refuseProblems(problems, secrets);
  return { revision: input.tree.revision, declarations, ports, secrets };
}

function portsRemembered(workshop: Workshop): { workshop: Workshop; ports: Map<string, number> } {
  const ports = new Map<string, number>();
  const allocatePort = (name: string) => {
    const number = ports.get(name) ?? workshop.allocatePort(name);
    ports.set(name, number);
    return number;
  };
  return { workshop: { ...workshop, allocatePort }, ports };
}

function scopeOf({ pillar, facts, minion }: CompileInput): Scope {
  const names = { pillar, facts, minion: { id: minion.id, groups: [...minion.groups] } };
  return { names: new Map(Object.entries(names)), chain: [] };
}

/** What is asked for, or else what the top file gives. */
function rootFiles(input: CompileInput, problems: Problems): Roots {
  const { tree, stateFiles, params, minion, facts, pillar } = input;
  if (stateFiles.length > 0) {
    const place = { file: '(command line)', line: 1, column: 1 };
    return { files: stateFiles.map((name) => ({ name, place })), params, listed: null };
  }
  const top = readTop(tree, 'states', problems);
  if (top === null) {
    const place = { file: topPath('states'), line: 1, column: 1 };
    problems.add(place, 'the tree has no top file', {
      help: 'it says which minions get which state files: base: {"*": [base]}',
    });
    return { files: [], params, listed: 'listed in' };
  }
  const candidate = { ...minion, facts, pillar };
  const files = filesFor(top, candidate, { tree, folder: 'states', problems });
  return { files, params, listed: 'listed in' };
}

/** The states of all files, with what extends and excludes them. */
function assemble(instances: readonly Instance[], workshop: Workshop): readonly State[] {
  const { problems } = workshop;
  const states = instances.flatMap((instance) => expandInstance(instance, workshop));
  refuseDuplicates(states, problems);
  const extensions = instances.flatMap((instance) => extensionsOf(instance, workshop));
  const extended = applyExtensions(states, extensions, problems);
  return applyExcludes(extended, instances, problems);
}

/** One draft for each name, with the requisites between them. */
function relate(states: readonly State[], instances: readonly Instance[], problems: Problems) {
  const named = states.flatMap((state) => draftsOf(state, problems));
  refuseTwins(named, problems);
  const files = new Set(instances.map(({ file }) => file.name));
  const drafts: readonly Draft[] = applyUse(named, registerOf(named, files), problems);
  const requisites = resolveRequisites(drafts, registerOf(drafts, files), problems);
  return { drafts, requisites };
}

/** A state that provides `port:NAME` declares the port, whether or not an expression names it. */
function declarePorts(checked: readonly Checked[], workshop: Workshop): void {
  for (const { provides, draft } of checked) {
    for (const resource of provides.filter((name) => name.startsWith('port:'))) {
      declarePort(resource.slice('port:'.length), draft, workshop);
    }
  }
}

function declarePort(name: string, draft: Draft, { allocatePort, problems }: Workshop): void {
  try {
    allocatePort(name);
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    problems.add(draft.place, error.message, { chain: draft.scope.chain });
  }
}
