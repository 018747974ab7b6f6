import { compile } from '../../language/compile.ts';
import type { Catalog } from '../../language/declaration.ts';
import type { PillarValue } from '../../language/pillar.ts';
import type { Tree } from '../../language/tree.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import type { StateType } from '../engine/state-type.ts';
import { readFacts } from '../facts/facts.ts';
import type { Registry } from '../host/registry.ts';
import { needAddress } from './addressed.ts';
import { createPortAllocator, portEntry } from './ports.ts';

interface Sources {
  readonly tree: Tree;
  readonly registry: Registry;
  readonly pillar: PillarValue;
  readonly types: ReadonlyMap<string, StateType>;
}

/** All that a run is to bring about. Throws TREE_INVALID. */
export async function compileFor(
  request: RunRequest,
  { tree, registry, pillar, types }: Sources,
): Promise<Catalog> {
  const { minion, options } = request;
  const facts = await readFacts();
  const catalog = compile({
    tree,
    minion,
    facts,
    pillar,
    states: types,
    stateFiles: options.stateFiles,
    params: options.params,
    allocatePort: createPortAllocator(registry, new Set(facts.listening)),
  });
  needAddress(request, catalog, { tree, facts, pillar });
  return catalog;
}

/** Ports that the tree uses without declaring them are kept before anything is built on them. */
export function rememberImplicitPorts({ ports, declarations }: Catalog, registry: Registry): void {
  const declared = new Set(
    declarations.filter(({ type }) => type === 'port.allocated').map(({ name }) => name),
  );
  const implicit = [...ports].filter(([name]) => !declared.has(name));
  registry.rememberAll(
    Object.fromEntries(implicit.map(([name, port]) => [portEntry(name), String(port)])),
  );
}
