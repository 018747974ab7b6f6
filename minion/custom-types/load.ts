import { typePaths, TYPES_FOLDER } from '../../language/custom-files.ts';
import { showPlace, type Place } from '../../language/place.ts';
import { collectProblems, Mistake, refuseProblems } from '../../language/problem.ts';
import type { Problem, Problems } from '../../language/problem.ts';
import type { Tree } from '../../language/tree.ts';
import type { StateType } from '../engine/state-type.ts';
import { judge } from './definition.ts';
import { guarded } from './guarded.ts';
import { openModules, startOf } from './modules.ts';
import type { Modules } from './modules.ts';
import { surface } from './surface.ts';

/** A state type of a tree, and where it is defined. */
export interface CustomType {
  readonly type: StateType;
  readonly place: Place;
}

export interface CustomTypes {
  readonly types: readonly CustomType[];
  readonly problems: readonly Problem[];
}

type StateTypes = ReadonlyMap<string, StateType>;

/**
 * The state types of a run: those that come with Conductor and those of the tree, whose code is run
 * here. Throws TREE_INVALID, with every mistake in it at its place.
 */
export async function stateTypesOf(tree: Tree, shipped: StateTypes): Promise<StateTypes> {
  if (typePaths(tree.manifest).length === 0) return shipped;
  const problems = collectProblems(tree);
  const { types } = await load(tree, shipped, problems);
  refuseProblems(problems);
  return new Map([...shipped, ...types.map(({ type }) => [type.name, type] as const)]);
}

/** The same, with the mistakes told and not thrown. */
export async function loadCustomTypes(tree: Tree, shipped: StateTypes): Promise<CustomTypes> {
  return load(tree, shipped, collectProblems(tree));
}

async function load(tree: Tree, shipped: StateTypes, problems: Problems): Promise<CustomTypes> {
  refuseStrangers(tree, problems);
  const definitions: Definition[] = [];
  const modules = await openModules(tree, (path) =>
    surface((value) => {
      const place = modules.places.ofError(new Error('here')) ?? startOf(path);
      definitions.push({ value, place, path });
    }),
  );
  const exported = new Map<string, ReadonlySet<unknown>>();
  for (const path of typePaths(tree.manifest)) {
    const values = loadOne(path, modules, problems);
    if (values !== null) exported.set(path, new Set(values));
  }
  // Where one cannot be loaded, nobody knows what it would have imported.
  if (exported.size === typePaths(tree.manifest).length)
    refuseIdle({ exported, definitions, modules, problems });
  const found = new Map<string, CustomType>();
  for (const definition of definitions) {
    if (exported.get(definition.path)?.has(definition.value) === false) {
      const message = 'this state type is defined and not exported';
      problems.add(definition.place, message, { help: 'write "export const … = defineState({"' });
    } else register(definition, { shipped, found, modules, problems });
  }
  return { types: [...found.values()], problems: problems.list() };
}

interface Definition {
  readonly value: unknown;
  readonly place: Place;
  readonly path: string;
}

/** What it exports; `null` after a mistake, which is reported. */
function loadOne(path: string, modules: Modules, problems: Problems): readonly unknown[] | null {
  try {
    return Object.values(modules.load(path));
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    problems.add(error.place, error.message, { help: error.help });
    return null;
  }
}

const HARMLESS = /\.(?:ts|js|md|json)$/u;

/** What stands there and would never be read has been put there by mistake. */
function refuseStrangers(tree: Tree, problems: Problems): void {
  for (const { path } of tree.manifest) {
    if (!path.startsWith(TYPES_FOLDER) || HARMLESS.test(path)) continue;
    const help = 'state types are .ts and .js files';
    problems.add(startOf(path), `${TYPES_FOLDER} is for state types`, { help });
  }
}

interface Loaded {
  readonly exported: ReadonlyMap<string, ReadonlySet<unknown>>;
  readonly definitions: readonly Definition[];
  readonly modules: Modules;
  readonly problems: Problems;
}

/** A file that gives nothing to anybody is a slip. */
function refuseIdle({ exported, definitions, modules, problems }: Loaded): void {
  for (const path of exported.keys()) {
    const isUseful = definitions.some((one) => one.path === path) || modules.imported.has(path);
    if (isUseful) continue;
    const help = 'import { defineState } from "conductor"; export const … = defineState({ … })';
    problems.add(startOf(path), 'this file defines no state type, and none imports it', { help });
  }
}

interface Registering {
  readonly shipped: StateTypes;
  readonly found: Map<string, CustomType>;
  readonly modules: Modules;
  readonly problems: Problems;
}

function register(
  { value, place }: Definition,
  { shipped, found, modules, problems }: Registering,
): void {
  const { type, faults } = judge(value);
  for (const { message, help } of faults) problems.add(place, message, { help });
  if (type === null) return;
  const { name } = type;
  const first = found.get(name);
  if (shipped.has(name)) {
    const help = 'it comes with Conductor: give yours another name';
    problems.add(place, `there is a state type "${name}" already`, { help });
  } else if (first !== undefined) {
    const help = `the first one is at ${showPlace(first.place)}`;
    problems.add(place, `there is a state type "${name}" already`, { help });
  } else found.set(name, { type: guarded(type, modules.places), place });
}
