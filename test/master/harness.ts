import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { StateSchemas } from '../../language/state-schema.ts';
import type { MasterConfig } from '../../master/config/master-config.ts';
import type { Terminal } from '../../master/cli/terminal.ts';
import { initializeIdentity, makeStateDirectory } from '../../master/identity.ts';
import { runCommandLine } from '../../master/program.ts';
import { type RunningMaster, startMaster } from '../../master/serve.ts';
import { statePaths } from '../../master/state-directory.ts';
import { openSqliteStore } from '../../master/store/sqlite/sqlite-store.ts';
import type { ChannelEnd } from '../../protocol/channel.ts';
import { connectMaster, type MasterChannel } from '../../protocol/connect.ts';
import { parseJoinString } from '../../protocol/join-string.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { Outcome, Report } from '../../protocol/report.ts';
import { countOutcomes } from '../../protocol/report.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import { createLogger } from '../../shared/log.ts';

/** One state type is enough for a master, which never runs any. */
const states: StateSchemas = new Map([
  [
    'note.present',
    {
      name: 'note.present',
      schema: z.strictObject({
        name: z.string().describe('Its name'),
        text: z.string().exactOptional().describe('What it says'),
        password: z.string().exactOptional().describe('A secret').meta({ secret: true }),
      }),
    },
  ],
]);

const SMALL_TREE = {
  'states/top.yaml': 'base:\n  "*": [notes]\n',
  'states/notes.yaml': 'hello:\n  note.present:\n    text: "{{ pillar.greeting }}"\n',
  'pillars/top.yaml': 'base:\n  "*": [common]\n',
  'pillars/common.yaml': 'greeting: good morning\n',
} as const;

export type Files = Readonly<Record<string, string>>;

export interface TestMaster {
  readonly directory: string;
  readonly tree: string;
  readonly log: readonly string[];
  readonly master: RunningMaster;
  write(files: Files): void;
  /** Runs a command line against it. */
  cli(...argv: string[]): Promise<{ code: number; out: string[]; err: string[] }>;
  /** Stops it, in order or as if it had been killed, and starts another on the same directory. */
  restart(): Promise<TestMaster>;
}

/** A whole master in this process, on loopback, with a directory of its own. */
export async function testMaster(
  t: ExecutionContext,
  files: Files = SMALL_TREE,
  config: Partial<MasterConfig> = {},
): Promise<TestMaster> {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-master-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const tree = join(directory, 'tree');
  mkdirSync(tree);
  writeFiles(tree, files);
  const paths = statePaths(join(directory, 'state'));
  await makeStateDirectory(paths);
  const store = await openSqliteStore(paths.store);
  await initializeIdentity(paths, store);
  await store.close();
  return start(t, directory, config);
}

function writeFiles(tree: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
}

async function start(
  t: ExecutionContext,
  directory: string,
  config: Partial<MasterConfig> = {},
): Promise<TestMaster> {
  const log: string[] = [];
  const socket = join(directory, 'master.sock');
  const tree = join(directory, 'tree');
  const master = await startMaster({
    config: {
      listen: '127.0.0.1:0',
      socket,
      state_directory: join(directory, 'state'),
      tree,
      history: { days: 1, megabytes: 1 },
      log_level: 'debug',
      ...config,
    },
    states,
    log: createLogger({ name: 'test', level: 'debug', write: (line) => log.push(line) }),
  });
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await master.stop();
  };
  t.teardown(stop);
  return {
    directory,
    tree,
    log,
    master,
    write: (files) => writeFiles(tree, files),
    cli: (...argv) => commandLine(argv, { directory }),
    async restart() {
      await stop();
      return start(t, directory);
    },
  };
}

export interface FakeTerminal {
  readonly directory: string;
  readonly input?: string;
  readonly answers?: readonly string[];
  readonly isTerminal?: boolean;
  /** Where what is no result goes, for those who look while it happens. */
  readonly err?: string[];
  /** Called with what is a Ctrl-C. */
  readonly onFollow?: (interrupt: () => void) => void;
}

/** The program `master`, with a terminal that remembers. */
export async function commandLine(
  argv: readonly string[],
  { directory, input = '', answers, isTerminal = false, err = [], onFollow }: FakeTerminal,
): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const left = [...(answers ?? [])];
  const terminal: Terminal = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    transient: () => undefined,
    isTerminal,
    color: false,
    canAsk: answers !== undefined,
    ask: (question) => {
      out.push(question);
      return Promise.resolve(left.shift() ?? '');
    },
    input: () => Promise.resolve(input),
    interrupts: () => {
      const waiting: { wake: (() => void) | null } = { wake: null };
      onFollow?.(() => waiting.wake?.());
      return {
        next: () => new Promise((resolve) => (waiting.wake = resolve)),
        stop: () => undefined,
      };
    },
    environment: {
      CONDUCTOR_MASTER_STATE_DIRECTORY: join(directory, 'state'),
      CONDUCTOR_MASTER_TREE: join(directory, 'tree'),
      CONDUCTOR_MASTER_SOCKET: join(directory, 'master.sock'),
    },
    now: () => new Date(),
  };
  const code = await runCommandLine(argv, terminal);
  return { code, out, err };
}

export interface TestMinion {
  readonly id: string;
  readonly verdict: string;
  readonly ended: Promise<ChannelEnd>;
  readonly received: readonly MasterMessage[];
  send(message: MinionMessage): Promise<void>;
  hello(more?: Partial<Extract<MinionMessage, { type: 'hello' }>>): Promise<void>;
  /** The next message of a type that has not been taken yet. */
  next<T extends MasterMessage['type']>(type: T): Promise<Extract<MasterMessage, { type: T }>>;
  leave(): Promise<void>;
}

interface MinionOptions {
  readonly id: string;
  /** 32 equal bytes of it are its key. */
  readonly seed?: number;
  readonly joinString?: string;
}

/** A minion's end of a real connection; it does nothing by itself. */
export async function testMinion(
  t: ExecutionContext,
  { master }: Pick<TestMaster, 'master'>,
  { id, seed = 33, joinString }: MinionOptions,
): Promise<TestMinion> {
  const socket = new WebSocket(`ws://127.0.0.1:${master.port}/minion`);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  t.teardown(() => socket.terminate());
  const { verdict, channel } = await connectMaster(wireOf(socket), {
    crypto: nodeCrypto,
    pin: master.services.rootFingerprint,
    minimumSerial: 0n,
    id,
    identity: nodeCrypto.signingKey(new Uint8Array(32).fill(seed)),
    join: joinString === undefined ? null : parseJoinString(joinString),
  });
  return channel === null ? refused(id, verdict) : conversation(id, verdict, channel);
}

function never(): Promise<never> {
  return Promise.reject(new Error('there is no session'));
}

function refused(id: string, verdict: string): TestMinion {
  const ended = Promise.resolve<ChannelEnd>({ reason: 'refused', by: 'them' });
  return { id, verdict, ended, received: [], send: never, hello: never, next: never, leave: never };
}

function conversation(id: string, verdict: string, channel: MasterChannel): TestMinion {
  const received: MasterMessage[] = [];
  const untaken: MasterMessage[] = [];
  const waiting: { wake: (() => void) | null } = { wake: null };
  channel.listen((message) => {
    received.push(message);
    untaken.push(message);
    waiting.wake?.();
  });
  return {
    id,
    verdict,
    ended: channel.ended,
    received,
    send: (message) => channel.send(message),
    hello: (more = {}) =>
      channel.send({
        type: 'hello',
        version: '0.1.0',
        capabilities: [],
        facts: { os: 'Debian' },
        jobs: [],
        nextRefresh: null,
        ...more,
      }),
    async next(type) {
      for (;;) {
        const index = untaken.findIndex((message) => message.type === type);
        const found = index < 0 ? undefined : untaken.splice(index, 1)[0];
        if (found !== undefined && isOf(found, type)) return found;
        await new Promise<void>((resolve, reject) => {
          waiting.wake = resolve;
          void channel.ended.then(({ reason }) =>
            reject(new Error(`the session has ended: ${reason}`)),
          );
        });
      }
    },
    leave: () => channel.close('done'),
  };
}

function isOf<T extends MasterMessage['type']>(
  message: MasterMessage,
  type: T,
): message is Extract<MasterMessage, { type: T }> {
  return message.type === type;
}

export function outcome(id: string, more: Partial<Outcome> = {}): Outcome {
  return {
    key: `note.present|${id}|${id}`,
    id,
    name: id,
    type: 'note.present',
    place: 'states/notes.yaml:1:1',
    status: 'changed',
    startedAt: '2026-01-01T00:00:00.000Z',
    milliseconds: 5,
    ...more,
  };
}

export function report(job: string, minion: string, more: Partial<Report> = {}): Report {
  const outcomes = more.outcomes ?? [outcome('hello')];
  return {
    job,
    minion,
    cause: 'job',
    revision: 'a'.repeat(64),
    dryRun: false,
    status: 'changed',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:01.000Z',
    counts: countOutcomes(outcomes),
    outcomes,
    owed: [],
    ...more,
  };
}

/** Waits until something is so, and fails if it does not become so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_500; tries += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it has not come to be');
}

/** An accepted minion that has said hello. */
export async function acceptedMinion(
  t: ExecutionContext,
  on: TestMaster,
  options: MinionOptions & { readonly groups?: readonly string[] },
): Promise<TestMinion> {
  const { services } = on.master;
  const { id, seed = 33, groups = [] } = options;
  if ((await services.store.minions.get(id)) === null) {
    const at = new Date().toISOString();
    await services.store.minions.add({
      id,
      publicKey: Buffer.from(
        nodeCrypto.signingKey(new Uint8Array(32).fill(seed)).publicKey,
      ).toString('hex'),
      state: 'accepted',
      generation: 1,
      groups,
      createdAt: at,
      acceptedAt: at,
      acceptedBy: 'test',
      address: null,
      seenAt: null,
      version: null,
      nextRefresh: null,
    });
  }
  const minion = await testMinion(t, on, options);
  await minion.hello();
  await until(async () => (await services.store.minions.facts(id)) !== null);
  return minion;
}

/** Accepts the next job, tells of one state and reports. */
export async function runNext(minion: TestMinion, more: Parameters<typeof report>[2] = {}) {
  const { options } = await minion.next('job');
  const { job, stateFiles } = options;
  await minion.send({ type: 'job-accepted', job, waiting: false });
  const event = {
    event: 'started',
    number: 1,
    total: 1,
    id: 'hello',
    type: 'note.present',
  } as const;
  await minion.send({ type: 'job-event', job, event });
  const told = { event: 'outcome', number: 1, total: 1, outcome: outcome('hello') } as const;
  await minion.send({ type: 'job-event', job, event: told });
  const applied = stateFiles.length === 0 ? {} : { stateFiles };
  await minion.send({ type: 'report', report: report(job, minion.id, { ...applied, ...more }) });
  await minion.next('report-stored');
  return options;
}

export async function statesOf(on: TestMaster, job: string) {
  const targets = await on.master.services.store.jobs.targets(job);
  return Object.fromEntries(targets.map(({ minion, state }) => [minion, state]));
}
