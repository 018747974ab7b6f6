import { setTimeout as after } from 'node:timers/promises';
import { ConductorError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { Redact } from '../../shared/secret.ts';
import { namesById, parseGroup, parsePasswd } from './accounts.ts';
import { accountFor, commandFor, withUmask } from './as-user.ts';
import { withOwnMounts } from './own-mounts.ts';
import { runProcess } from './commands.ts';
import { fileChanges } from './file-changes.ts';
import type { OwnerFor } from './file-changes.ts';
import type { Argv, CommandOptions, Host, HostView, Output } from './host.ts';
import { canConnect, httpAsk, reachesOne } from './network.ts';
import { beginningOf, endOf } from '../../shared/excerpt.ts';
import { ownerOf } from './ownership.ts';
import { list, readFile, readLink, status } from './read-files.ts';
import type { Keeps } from './keeps.ts';
import type { Registry } from './registry.ts';
import type { RunGroup } from './run-group.ts';
import { createTopics } from './topics.ts';
import type { Topics } from './topics.ts';
import { walk } from './walk.ts';
import type { Hosts } from './view.ts';

export interface RealHostOptions {
  readonly minion: string;
  readonly registry: Registry;
  readonly keeps: Keeps;
  readonly ports: ReadonlyMap<string, number>;
  readonly log: Logger;
  /** Where this minion's masters are; none if absent. */
  readonly masters?: readonly string[];
  /** Blanks secrets in what is kept of a failed command's output, before it is cut to size. */
  readonly redact?: Redact;
  /** Between TERM and KILL, for commands that must end. */
  readonly graceMs?: number;
  /** Of the run that this host is looked after by. */
  readonly group?: RunGroup | undefined;
}

const COMMAND_TIMEOUT_MS = 300_000;
const GRACE_MS = 10_000;
const ACCOUNTS = 'accounts';
/** What a command of a tree's author has changed, nobody knows. */
const EVERYTHING = 'everything';

/** This machine. What one state has read is shared with those after it, until somebody changes it. */
export function createRealHost(options: RealHostOptions): Hosts {
  const topics = createTopics();
  return {
    within(signal) {
      const run = createRunner(options, signal, topics);
      return {
        ...lookingAt(options, { signal, topics, run }),
        ...changing(options, { signal, topics, run }),
      };
    },
  };
}

/** Runs a command and answers with its exit code, whatever that is. */
type Runner = (argv: Argv, options?: CommandOptions) => Promise<Output>;

interface Means {
  readonly signal: AbortSignal;
  readonly topics: Topics;
  readonly run: Runner;
}

function lookingAt(
  { minion, registry, keeps, ports, masters = [] }: RealHostOptions,
  means: Means,
): HostView {
  const { signal, topics, run } = means;
  const people = () => readPeople(topics, run);
  return {
    minion,
    query: run,
    readFile: async (path) => readFile(path),
    status: async (path) => status(path, (await people()).names),
    readLink: async (path) => readLink(path),
    list: async (path) => list(path),
    walk: async (path, options) => walk(path, { ...options, names: (await people()).names }),
    accounts: async () => (await people()).accounts,
    groups: async () => (await people()).groups,
    canConnect: (address, port, timeoutMs) => canConnect({ address, port, timeoutMs }, signal),
    reachesMaster: () => reachesOne(masters, signal),
    httpGet: (url, options) => httpAsk(url, options, signal),
    shared: (topic, load) => topics.shared(`state type: ${topic}`, load),
    recall: async (name) => registry.recall(name),
    kept: async (name) => keeps.get(name),
    port(name) {
      const number = ports.get(name);
      if (number !== undefined) return number;
      throw new ConductorError('NOT_FOUND', `Cannot tell the port "${name}": nothing declares it`);
    },
    sleep: (milliseconds) => sleep(milliseconds, signal),
  };
}

function changing(
  { registry, keeps, redact = unredacted }: RealHostOptions,
  { signal, topics, run }: Means,
): Omit<Host, keyof HostView> {
  const ownerFor: OwnerFor = async (path, ownership = {}) => {
    const isNamed = ownership.user !== undefined || ownership.group !== undefined;
    const { accounts, groups } = isNamed ? await readPeople(topics, run) : NOBODY;
    return ownerOf(path, ownership, { accounts, groups });
  };
  return {
    ...fileChanges(ownerFor, signal),
    async run(argv, options) {
      const output = await run(argv, options);
      if (output.exitCode !== 0) throw commandFailed(argv, output, redact);
      return output;
    },
    httpSend: (url, options) => httpAsk(url, options, signal),
    changed(topic) {
      if (topic === EVERYTHING) topics.forgetAll();
      if (topic === ACCOUNTS || topic === 'groups') topics.forget(ACCOUNTS);
      topics.forget(`state type: ${topic}`);
    },
    remember: async (name, value) => registry.remember(name, value),
    keep: async (name, content) => keeps.put(name, content),
  };
}

function createRunner(options: RealHostOptions, signal: AbortSignal, topics: Topics): Runner {
  const { log, graceMs = GRACE_MS, redact = unredacted, group } = options;
  const run: Runner = async (argv, how = {}) => {
    const { user, cwd = '/', input, umask, timeoutMs, env } = how;
    const account =
      user === undefined ? null : accountFor(argv, user, (await readPeople(topics, run)).accounts);
    const command = commandFor(withUmask(argv, umask), account, env);
    const begun = performance.now();
    const output = await runProcess(withOwnMounts(command.argv, how), {
      env: command.env,
      cwd,
      input: input ?? null,
      timeoutMs: timeoutMs ?? COMMAND_TIMEOUT_MS,
      graceMs,
      signal,
      redact,
      group,
    });
    const { exitCode } = output;
    const shown = argv.map(redact);
    log.debug(
      { argv: shown, user, exitCode, milliseconds: performance.now() - begun },
      'Command ran',
    );
    return output;
  };
  return run;
}

const NOBODY = { accounts: new Map(), groups: new Map() };

async function readPeople(topics: Topics, run: Runner) {
  return topics.shared(ACCOUNTS, async () => {
    const [passwd, group] = await Promise.all([
      run(['getent', 'passwd']),
      run(['getent', 'group']),
    ]);
    for (const output of [passwd, group]) {
      if (output.exitCode !== 0) throw commandFailed(['getent'], output, unredacted);
    }
    const accounts = parsePasswd(passwd.stdout);
    const groups = parseGroup(group.stdout);
    const users = namesById(accounts, ({ uid }) => uid);
    return { accounts, groups, names: { users, groups: namesById(groups, ({ gid }) => gid) } };
  });
}

function unredacted(text: string): string {
  return text;
}

function commandFailed(
  [program]: Argv,
  { exitCode, stdout, stderr }: Output,
  redact: Redact,
): ConductorError {
  const state = exitCode === 127 ? 'there is no such program' : `it exited with ${exitCode}`;
  const output = endOf(redact(`${stdout}\n${stderr}`));
  const said = redact(stderr).trim().split('\n').at(-1) ?? '';
  const message = `Cannot run "${program}": ${state}${said === '' ? '' : `: ${beginningOf(said, 300)}`}`;
  return new ConductorError('COMMAND_FAILED', message, { exitCode, output });
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await after(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
