import { builtinModules } from 'node:module';
import { Console } from 'node:console';
import { posix } from 'node:path';
import { compileFunction } from 'node:vm';
import { TYPES_FOLDER, typePaths } from '../../language/custom-files.ts';
import type { Place } from '../../language/place.ts';
import { Mistake } from '../../language/problem.ts';
import type { Tree } from '../../language/tree.ts';
import { hint } from '../../language/values/hint.ts';
import { messageOf } from '../../shared/errors.ts';
import { createPlaces, placeOfText } from './places.ts';
import type { Places, Sources } from './places.ts';
import type { ToFunctionBody } from './transform.ts';

/** The modules below `states/_types/` of one tree. */
export interface Modules {
  /** Runs a module, once, with those that it imports. Throws a `Mistake`. */
  load(path: string): Readonly<Record<string, unknown>>;
  /** Paths of the modules that others have imported. */
  readonly imported: ReadonlySet<string>;
  readonly places: Places;
}

/** What `import … from 'conductor'` gives to the module of a path. */
export type SurfaceFor = (path: string) => unknown;

interface Loading {
  readonly sources: Sources;
  readonly toFunctionBody: ToFunctionBody;
  readonly surfaceFor: SurfaceFor;
  readonly places: Places;
  readonly loaded: Map<string, Record<string, unknown>>;
  readonly imported: Set<string>;
}

/**
 * Modules are run as functions in this process, from the bytes that the revision names: nothing is
 * looked up on a disk, and nothing runs that is not of the tree.
 */
export async function openModules(tree: Tree, surfaceFor: SurfaceFor): Promise<Modules> {
  const { toFunctionBody } = await import('./transform.ts');
  const decoder = new TextDecoder();
  const sources: Sources = new Map(
    typePaths(tree.manifest).map((path) => [path, decoder.decode(tree.read(path) ?? undefined)]),
  );
  const places = createPlaces(sources);
  const imported = new Set<string>();
  const loading = { sources, toFunctionBody, surfaceFor, places, loaded: new Map(), imported };
  return { load: (path) => load(path, loading), imported, places };
}

function load(path: string, loading: Loading): Record<string, unknown> {
  const { loaded, places } = loading;
  const before = loaded.get(path);
  if (before !== undefined) return before;
  const exports: Record<string, unknown> = {};
  // Before it runs: two modules may import each other.
  loaded.set(path, exports);
  const run = compile(path, loading);
  const require = (specifier: string) => resolve(specifier, path, loading);
  try {
    run(exports, require, CONSOLE);
  } catch (error) {
    if (error instanceof Mistake) throw error;
    throw new Mistake(
      places.ofError(error) ?? startOf(path),
      `this file cannot be loaded: ${messageOf(error).replaceAll(/\b_conductor\d*\./gu, '')}`,
    );
  }
  return exports;
}

/** Standard output belongs to whoever runs us. */
const CONSOLE = new Console(process.stderr);

type Runnable = (
  exports: object,
  require: (specifier: string) => unknown,
  console: Console,
) => void;

/** Takes the types away and makes a function of the module. */
function compile(path: string, { sources, toFunctionBody, places }: Loading): Runnable {
  const text = sources.get(path) ?? '';
  try {
    const code = toFunctionBody(path, text);
    places.learn(path, code);
    const parameters = ['exports', 'require', 'console'];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its parameters are those just named
    return compileFunction(code, parameters, { filename: path }) as Runnable;
  } catch (error) {
    throw places.ofSyntaxError(path, error);
  }
}

/** What cannot touch the host: for everything else there is the host that a state type is given. */
const PURE: readonly string[] = [
  'assert',
  'buffer',
  'crypto',
  'path',
  'querystring',
  'string_decoder',
  'url',
  'util',
  'zlib',
];

function resolve(specifier: string, from: string, loading: Loading): unknown {
  if (specifier === 'conductor') return loading.surfaceFor(from);
  if (specifier.startsWith('.')) return relative(specifier, from, loading);
  const module = specifier.replace(/^node:/u, '');
  if (PURE.includes(module)) return process.getBuiltinModule(`node:${module}`);
  const help = builtinModules.includes(module)
    ? 'what touches the host goes through the host that read, want and apply are given'
    : `a state type imports from "conductor", its own folder and ${PURE.map((one) => `node:${one}`).join(', ')}`;
  throw cannotImport(specifier, from, { loading, help });
}

function relative(specifier: string, from: string, loading: Loading): unknown {
  const { sources, imported } = loading;
  const named = posix.join(posix.dirname(from), specifier);
  const candidates = [named, named.replace(/\.js$/u, '.ts')];
  const path = candidates.find((one) => sources.has(one));
  if (path !== undefined) {
    imported.add(path);
    return load(path, loading);
  }
  const others = [...sources.keys()].map((one) => `./${one.slice(TYPES_FOLDER.length)}`);
  const help = hint(specifier, others, `name a file below ${TYPES_FOLDER} with its ending`);
  throw cannotImport(specifier, from, { loading, help });
}

function cannotImport(
  specifier: string,
  from: string,
  { loading, help }: { readonly loading: Loading; readonly help: string },
): Mistake {
  const text = loading.sources.get(from) ?? '';
  const place = placeOfText(from, text, specifier) ?? startOf(from);
  return new Mistake(place, `"${specifier}" cannot be imported`, help);
}

/** Where there is nothing better to point at. */
export function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}
