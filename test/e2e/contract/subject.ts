import { compile } from '../../../language/compile.ts';
import type { Catalog } from '../../../language/declaration.ts';
import type { Data, DataMapping } from '../../../language/values/data.ts';
import { z } from 'zod';
import { openMemory } from '../../../minion/engine/drift/memory.ts';
import { openJournal } from '../../../minion/engine/owed.ts';
import { runCatalog } from '../../../minion/engine/run.ts';
import { defineState } from '../../../minion/engine/state-type.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { listeningPorts } from '../../../minion/facts/listening.ts';
import { createAtRest } from '../../../minion/host/at-rest.ts';
import { createRealHost } from '../../../minion/host/real-host.ts';
import { openRegistry } from '../../../minion/host/registry.ts';
import type { Hosts } from '../../../minion/host/view.ts';
import { createPortAllocator } from '../../../minion/run/ports.ts';
import { redactionFor } from '../../../minion/run/redaction.ts';
import { nodeCrypto } from '../../../protocol/node-crypto.ts';
import type { Outcome } from '../../../protocol/report.ts';
import type { Change } from '../../../shared/change.ts';
import type { Logger } from '../../../shared/log.ts';
import { Secret } from '../../../shared/secret.ts';
import { treeOf } from '../../helpers/tree.ts';
import type { Case, NamedCase } from './case.ts';
import { STATE_DIRECTORY } from './places.ts';

/** A case as the product meets it: a small tree that is compiled and run on this host. */

export interface World {
  readonly types: ReadonlyMap<string, StateType>;
  readonly facts: DataMapping;
  readonly log: Logger;
}

/** What is declared in the case's stead. */
export interface Variant {
  readonly type?: string;
  readonly declare?: Case['declare'];
  /** Only what stands before the state, or the state alone. */
  readonly part?: 'with' | 'alone';
  /** Something that the state watches changes in the same run. */
  readonly isTriggered?: boolean;
}

const CASE_ID = 'the case';
const FINGERPRINT_KEY = 'c0'.repeat(32);

/** Always changes, so that what watches it has something to react to. */
const trigger = defineState({
  name: 'contract.trigger',
  schema: z.strictObject({ name: z.string() }),
  example: '',
  oneShot: true,
  read: async (): Promise<{ done: boolean }> => ({ done: false }),
  want: () => ({ done: true }),
  apply: async () => undefined,
});

/** Throws TREE_INVALID as a user would see it. */
export function compileCase(
  { type, case: one }: NamedCase,
  world: World,
  variant: Variant = {},
): Catalog {
  const { part = 'all', declare = one.declare, isTriggered = false } = variant;
  const registry = openTheRegistry({ dryRun: true });
  const allocate = createPortAllocator(registry, listeningPorts());
  return compile({
    tree: treeOf({
      ...one.files,
      ...filesOf(one, { type: variant.type ?? type, declare, isTriggered }),
    }),
    minion: { id: 'proof', groups: [] },
    facts: world.facts,
    pillar: withSecrets(one.pillar, one.secret),
    states: new Map([...world.types, [trigger.name, trigger]]),
    stateFiles: stateFilesOf(one, part),
    params: {},
    allocatePort: (name) => one.ports[name] ?? allocate(name),
  });
}

function stateFilesOf(
  { with: before, expect }: Case,
  part: NonNullable<Variant['part']> | 'all',
): readonly string[] {
  if (part !== 'all') return [part === 'with' ? 'before' : 'case'];
  const watched = expect.fails?.watched;
  return [
    ...(before === undefined ? [] : ['before']),
    ...(watched === undefined ? [] : ['watched']),
    'case',
  ];
}

interface Written {
  readonly type: string;
  readonly declare: Case['declare'];
  readonly isTriggered: boolean;
}

function filesOf(
  { templates, with: before, expect }: Case,
  { type, declare, isTriggered }: Written,
): Record<string, string> {
  const watch = [declare['watch'] ?? []].flat();
  const args = isTriggered ? { ...declare, watch: [...watch, { contract: 'trigger' }] } : declare;
  const first = isTriggered ? '"trigger":\n  contract.trigger: {}\n' : '';
  const text = `${first}${JSON.stringify(CASE_ID)}:\n  ${type}: ${JSON.stringify(args)}\n`;
  return {
    ...(before === undefined ? {} : { 'states/before.yaml': before }),
    ...(expect.fails?.watched === undefined ? {} : { 'states/watched.yaml': expect.fails.watched }),
    'states/case.yaml': text,
    ...Object.fromEntries(
      Object.entries(templates).map(([path, content]) => [`templates/${path}`, content]),
    ),
  };
}

/** As if the texts that hold a secret had been sealed. */
function withSecrets(pillar: DataMapping, secrets: readonly string[]): DataMapping {
  const visit = (data: Data): Data => {
    if (typeof data === 'string')
      return secrets.some((one) => data.includes(one)) ? new Secret(data) : data;
    if (Array.isArray(data)) return data.map(visit);
    if (typeof data !== 'object' || data === null || data instanceof Secret) return data;
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, visit(value)]));
  };
  return Object.fromEntries(Object.entries(pillar).map(([key, value]) => [key, visit(value)]));
}

/** What the state type has been seen to say in a run. */
export interface Sightings {
  have: Record<string, unknown> | null;
  want: Record<string, unknown> | null;
  change: Change | null;
}

export interface Ran {
  readonly outcome: Outcome;
  readonly outcomes: readonly Outcome[];
  readonly seen: Sightings;
}

export interface Way {
  readonly dryRun: boolean;
  readonly through?: (hosts: Hosts) => Hosts;
  readonly variant?: Variant;
}

/** Compiles and runs a case, as a run of its own would be. */
export async function runCase(named: NamedCase, world: World, way: Way): Promise<Ran> {
  const { dryRun, through = (hosts: Hosts) => hosts, variant = {} } = way;
  const catalog = compileCase(named, world, variant);
  const seen: Sightings = { have: null, want: null, change: null };
  const type = world.types.get(variant.type ?? named.type);
  if (type === undefined) throw new Error(`there is no state type "${variant.type ?? named.type}"`);
  const redaction = redactionFor(catalog.secrets, FINGERPRINT_KEY);
  const { log } = world;
  const registry = openTheRegistry({ dryRun });
  const memory = openMemory(STATE_DIRECTORY, {
    dryRun: true,
    onCorrupt: refuse,
    atRest: createAtRest(nodeCrypto, FINGERPRINT_KEY),
    log,
  });
  const hosts = createRealHost({
    minion: 'proof',
    registry,
    keeps: memory.keeps,
    ports: catalog.ports,
    masters: named.case.masters,
    log,
    redact: redaction.redact,
  });
  const outcomes = await runCatalog({
    catalog,
    types: new Map([...world.types, [trigger.name, trigger], [type.name, watched(type, seen)]]),
    hosts: through(hosts),
    journal: openJournal(`${STATE_DIRECTORY}/owed.json`, { dryRun, onCorrupt: refuse }),
    redaction,
    memory,
    dryRun,
    isWhole: false,
    signal: new AbortController().signal,
    emit: () => undefined,
    log,
  });
  const outcome = outcomes.find(({ id }) => id === CASE_ID) ?? outcomes.at(-1);
  if (outcome === undefined) throw new Error('the catalog is empty');
  return { outcome, outcomes, seen };
}

function openTheRegistry({ dryRun }: { readonly dryRun: boolean }) {
  return openRegistry(`${STATE_DIRECTORY}/registry.json`, { dryRun, onCorrupt: refuse });
}

function refuse(why: string): never {
  throw new Error(why);
}

function watched(type: StateType, seen: Sightings): StateType {
  return {
    ...type,
    async read(args, host) {
      const have = await type.read(args, host);
      seen.have = have;
      return have;
    },
    async want(args, host) {
      const want = await type.want(args, host);
      seen.want = want;
      return want;
    },
    async apply(change, args, host) {
      seen.change = change;
      return type.apply(change, args, host);
    },
  };
}
