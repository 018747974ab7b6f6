import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalog, Declaration, Requisite } from '../../language/declaration.ts';
import { openMemory } from '../../minion/engine/drift/memory.ts';
import { openJournal } from '../../minion/engine/owed.ts';
import type { OwedJournal } from '../../minion/engine/owed.ts';
import { runCatalog } from '../../minion/engine/run.ts';
import type { RunOptions } from '../../minion/engine/context.ts';
import { defineState } from '../../minion/engine/state-type.ts';
import type { StateType } from '../../minion/engine/state-type.ts';
import { createAtRest } from '../../minion/host/at-rest.ts';
import type { Host } from '../../minion/host/host.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { Outcome, RunEvent } from '../../protocol/report.ts';
import { ConductorError } from '../../shared/errors.ts';
import { createLogger } from '../../shared/log.ts';
import { fakeHost } from './fake-host.ts';
import type { HostState } from './fake-host.ts';

/**
 * A world of things that have one value each. It writes down what is done to it, can be told to
 * break, and outlives the runs that change it, like a host.
 */
export interface ToyWorld {
  readonly things: Map<string, string>;
  /** `set NAME=VALUE`, `kick NAME`, in order. */
  readonly did: string[];
  /** Called before anything is done or read (`read NAME`); what it throws is what the state throws. */
  interfere: (what: string) => void | Promise<void>;
}

export function toyWorld(things: Readonly<Record<string, string>> = {}): ToyWorld {
  return { things: new Map(Object.entries(things)), did: [], interfere: () => undefined };
}

export function cannot(what: string): ConductorError {
  return new ConductorError('COMMAND_FAILED', `Cannot ${what}: the test says so`, {
    output: 'boo',
  });
}

type Toy = { name: string; value: string; password?: string };
type ToyState = { value: string; password?: string };

const schema = z.strictObject({
  name: z.string(),
  value: z.string(),
  password: z.string().meta({ secret: true }).exactOptional(),
});

function toyTypes(world: ToyWorld): ReadonlyMap<string, StateType> {
  const act = async (what: string): Promise<void> => {
    await world.interfere(what);
    world.did.push(what);
  };
  const mute: StateType<Toy, ToyState> = {
    name: 'toy.mute',
    example: '',
    schema,
    async read({ name, password }) {
      await world.interfere(`read ${name}`);
      const value = world.things.get(name);
      if (value === undefined) return null;
      return { value, ...(password === undefined ? {} : { password: `old ${password}` }) };
    },
    want: ({ value }) => ({ value }),
    async apply(change, { name, value }) {
      if (change.action === 'remove') return;
      await act(`set ${name}=${value}`);
      world.things.set(name, value);
    },
  };
  const set: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.set',
    async react({ name }) {
      await act(`kick ${name}`);
      return 'kicked';
    },
  };
  const text: StateType<Toy, ToyState> = { ...mute, name: 'toy.text', textAttribute: 'value' };
  const hidden: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.hidden',
    oneShot: true,
    want: ({ value, password = '' }) => ({ value, password }),
  };
  const maybe: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.maybe',
    oneShot: true,
    uncertain: ({ value }) => (value === 'new' ? null : 'nobody knows'),
    async apply(_change, { name, value }) {
      await act(`try ${name}`);
      return value === 'nothing' ? 'unchanged' : undefined;
    },
    says: ({ value }) => value,
  };
  const derived: StateType<Toy, ToyState> = { ...mute, name: 'toy.derived', isDerived: true };
  const open: StateType<Toy, ToyState> = { ...mute, name: 'toy.open', reach: 'programs' };
  const provider: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.provider',
    provides: ({ name }) => [`toy:${name}`, `path:/srv/${name}`],
  };
  const taker: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.taker',
    takes: ({ name }) => [`toy:${name}`, `path:/srv/${name}`],
  };
  const user: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.user',
    needs: ({ name }) => [`path:/srv/${name}/below`],
  };
  const content: StateType<Toy, ToyState> = {
    ...text,
    name: 'toy.content',
    provides: () => ['path:/srv/file'],
  };
  const refused: StateType<Toy, ToyState> = {
    ...mute,
    name: 'toy.refused',
    refuses: async (_change, { value }) => {
      const code = value === 'rejected' ? 'CHECK_FAILED' : 'STATE_REFUSED';
      throw new ConductorError(code, `Cannot make it "${value}"`);
    },
  };
  const other: StateType<Toy, ToyState> = { ...mute, name: 'other.kind' };
  const file: StateType<Toy, ToyState> = {
    ...mute,
    name: 'file.toy',
    provides: ({ name }) => [`path:${name}`],
  };
  const types = [
    mute,
    set,
    text,
    other,
    file,
    taker,
    user,
    content,
    hidden,
    maybe,
    derived,
    open,
    provider,
    refused,
  ].map((type) => defineState(type));
  return new Map(types.map((type) => [type.name, type]));
}

export interface ToyDeclaration extends Partial<Omit<Declaration, 'requisites' | 'guards'>> {
  readonly value?: string;
  readonly password?: string;
  readonly requires?: Partial<Record<Requisite['kind'], readonly string[]>>;
  readonly guards?: Partial<Declaration['guards']>;
}

/** A declaration whose key, ID and name are the same word; wants `new` unless it says otherwise. */
export function declare(id: string, given: ToyDeclaration = {}): Declaration {
  const { value = 'new', password, requires = {}, guards, ...rest } = given;
  return {
    key: id,
    id,
    name: id,
    type: 'toy.set',
    args: { name: id, value, ...(password === undefined ? {} : { password }) },
    place: { file: 'states/toy.yaml', line: 1, column: 1 },
    stateFile: 'toy',
    checkCommands: [],
    retry: null,
    timeoutSeconds: null,
    failhard: false,
    runas: null,
    ports: [],
    ...rest,
    guards: { unless: [], onlyif: [], creates: [], ...guards },
    requisites: Object.entries(requires).map(([kind, targets]) => ({
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record's keys are kinds
      kind: kind as Requisite['kind'],
      targets,
      implied: false,
    })),
  };
}

export interface ToyRun extends Partial<Omit<RunOptions, 'catalog'>> {
  readonly world: ToyWorld;
  /** Where the journal is; a new place if absent. */
  readonly directory?: string;
  /** How commands of guards and checks are answered. */
  readonly host?: HostState;
  readonly secrets?: readonly string[];
}

export interface ToyResult {
  readonly outcomes: readonly Outcome[];
  readonly events: readonly RunEvent[];
  readonly journal: OwedJournal;
  /** `id: status`, in order. */
  readonly statuses: readonly string[];
  readonly outcome: (id: string) => Outcome;
}

/** Seals what test runs keep. */
export const testAtRest = createAtRest(nodeCrypto, '0'.repeat(64));

const root = mkdtempSync(join(tmpdir(), 'conductor-toy-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

/** A directory of its own, that goes when the tests end. */
export function newDirectory(): string {
  return mkdtempSync(join(root, 'run-'));
}

function mark(text: string): string {
  return `#${text.length}`;
}

/** Runs declarations over a world. */
export async function run(
  declarations: readonly Declaration[],
  { world, directory = newDirectory(), host = {}, secrets = [], ...options }: ToyRun,
): Promise<ToyResult> {
  const events: RunEvent[] = [];
  const { dryRun = false } = options;
  const log = createLogger({ name: 'test', level: 'error', write: () => undefined });
  const journal = openJournal(join(directory, 'owed.json'), { dryRun, onCorrupt: () => undefined });
  const catalog: Catalog = { revision: '0', declarations, ports: new Map(), secrets };
  const outcomes = await runCatalog({
    catalog,
    types: toyTypes(world),
    hosts: { within: (signal) => stoppable(fakeHost(host), signal) },
    journal,
    redaction: {
      redact: (text) =>
        secrets.reduce(
          (shown, secret) => shown.replaceAll(secret, `secret(${mark(secret)})`),
          text,
        ),
      fingerprint: mark,
    },
    memory: openMemory(directory, { dryRun, onCorrupt: () => undefined, atRest: testAtRest, log }),
    dryRun,
    isWhole: true,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    log,
    ...options,
  });
  return {
    outcomes,
    events,
    journal,
    statuses: outcomes.map(({ id, status }) => `${id}: ${status}`),
    outcome(id) {
      const found = outcomes.find((outcome) => outcome.id === id);
      if (found === undefined) throw new Error(`no outcome of ${id}`);
      return found;
    },
  };
}

/** A fake host whose sleep ends when the signal says so. */
function stoppable(host: Host, signal: AbortSignal): Host {
  return {
    ...host,
    async sleep(milliseconds) {
      signal.throwIfAborted();
      await host.sleep(milliseconds);
    },
  };
}
