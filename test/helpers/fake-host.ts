import { ConductorError } from '../../shared/errors.ts';
import type {
  Account,
  AccountGroup,
  Argv,
  CommandOptions,
  FileStatus,
  FileToWrite,
  Host,
  HttpAnswer,
  Output,
  Ownership,
} from '../../minion/host/host.ts';

/** A standard output, or more of an answer; or what it is by the standard input. */
export type Answer = Told | ((input: string) => Told);
type Told = string | Partial<Output>;

/** What a fake host answers. */
export interface HostState {
  /** By command line, its words joined by spaces: `getent passwd deploy`. */
  readonly commands?: Readonly<Record<string, Answer>>;
  /** Regular files by path (root, 0644 unless `statuses` says more). */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** What `status` says; `{ kind: 'directory' }` is enough (then root, 0755). */
  readonly statuses?: Readonly<Record<string, Partial<FileStatus>>>;
  /** Symbolic links and where they point. */
  readonly links?: Readonly<Record<string, string>>;
  readonly accounts?: Readonly<Record<string, Partial<Account>>>;
  readonly groups?: Readonly<Record<string, Partial<AccountGroup>>>;
  /** `127.0.0.1:80`. */
  readonly listening?: readonly string[];
  /** Whether its master can be reached; it can if absent. */
  readonly reachesMaster?: boolean;
  readonly http?: Readonly<Record<string, Partial<HttpAnswer>>>;
  readonly registry?: Readonly<Record<string, string>>;
  readonly ports?: Readonly<Record<string, number>>;
  /** What earlier runs have kept; what is kept goes in here. */
  readonly keeps?: Map<string, Uint8Array>;
}

const UNMARKED: Output = { exitCode: 0, stdout: '', stderr: '', raw: new Uint8Array() };

export interface Call {
  readonly argv: Argv;
  readonly options: CommandOptions;
}

export interface FakeHost extends Host {
  /**
   * Everything that changed it, in order: command lines, and `writeFile /path`, `makeDirectory …`,
   * `own /path USER:GROUP MODE`, `link /path -> TO`, `rename A B`, `remove /path`, `remember NAME=VALUE`.
   */
  readonly ran: readonly string[];
  /** The commands among them, with their options. */
  readonly calls: readonly Call[];
  /** What was asked, in order. */
  readonly queries: readonly Call[];
  /** Milliseconds slept. */
  readonly slept: readonly number[];
  /** The text of a file as it now is; `null` if there is none. */
  text(path: string): string | null;
}

interface Node {
  readonly status: FileStatus;
  readonly content?: Uint8Array;
  readonly to?: string;
}

/**
 * A host that answers `before` until a command is run on it and `after` from then on; `query` of
 * a command that it does not know throws. Files are kept: what is written can be read.
 */
export function fakeHost(before: HostState = {}, after: HostState = before): FakeHost {
  const ran: string[] = [];
  const calls: Call[] = [];
  const queries: Call[] = [];
  const slept: number[] = [];
  const memory = new Map(Object.entries(before.registry ?? {}));
  const keeps = before.keeps ?? new Map<string, Uint8Array>();
  const cache = new Map<string, Promise<unknown>>();
  const written = new Map<string, Node | null>();
  let state = before;

  const find = (path: string): Node | null => {
    const own = written.get(path);
    return own === undefined ? nodeIn(state, path) : own;
  };
  const did = (what: string): void => {
    ran.push(what);
    state = after;
  };
  const put = (path: string, node: Omit<Node, 'status'>, status: Partial<FileStatus>): void => {
    written.set(path, { ...node, status: fullStatus({ ...find(path)?.status, ...status }) });
  };
  const write = ({ path, content, ownership }: FileToWrite): void => {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const status = { kind: 'file', size: bytes.byteLength, ...statusOf(ownership) } as const;
    put(path, { content: bytes }, status);
    did(`writeFile ${path}`);
  };
  const make = (path: string, ownership: Ownership): void => {
    put(path, {}, { kind: 'directory', mode: '0755', ...statusOf(ownership) });
    did(`makeDirectory ${path}`);
  };

  return {
    ran,
    calls,
    queries,
    slept,
    minion: 'web-01',
    text(path) {
      const content = find(path)?.content;
      return content === undefined ? null : Buffer.from(content).toString();
    },

    async query(argv, options = {}) {
      const answer = answerTo(state, argv, options);
      // Nothing has a mark of chattr unless it is said.
      if (answer === null && argv[0] === 'lsattr') return UNMARKED;
      queries.push({ argv, options });
      if (answer === null) throw new Error(`the fake host does not know: ${argv.join(' ')}`);
      return answer;
    },
    async readFile(path) {
      const node = find(path);
      if (node?.to !== undefined) return find(node.to)?.content ?? null;
      return node?.content ?? null;
    },
    async status(path) {
      return find(path)?.status ?? null;
    },
    async readLink(path) {
      return find(path)?.to ?? null;
    },
    async list(path) {
      const known = [
        ...Object.keys(state.files ?? {}),
        ...Object.keys(state.statuses ?? {}),
        ...Object.keys(state.links ?? {}),
        ...written.keys(),
      ].filter((other) => find(other) !== null);
      const below = known.filter((other) => other.startsWith(`${path}/`));
      if (below.length === 0 && find(path)?.status.kind !== 'directory') return null;
      return [
        ...new Set(below.map((other) => other.slice(path.length + 1).split('/')[0] ?? '')),
      ].toSorted();
    },
    async walk(path, { maxDepth = Infinity } = {}) {
      const known = [
        ...Object.keys(state.files ?? {}),
        ...Object.keys(state.statuses ?? {}),
        ...Object.keys(state.links ?? {}),
        ...written.keys(),
      ];
      const below = [...new Set(known)].filter((other) => other.startsWith(`${path}/`)).toSorted();
      if (below.length === 0 && find(path)?.status.kind !== 'directory') return null;
      return below.flatMap((other) => {
        const name = other.slice(path.length + 1);
        const node = find(other);
        const isDeep = name.split('/').length > maxDepth + 1;
        return node === null || isDeep ? [] : [{ ...node.status, path: name }];
      });
    },
    async accounts() {
      return new Map(
        Object.entries(state.accounts ?? { root: {} }).map(([name, account]) => [
          name,
          fullAccount(name, account),
        ]),
      );
    },
    async groups() {
      return new Map(
        Object.entries(state.groups ?? { root: {} }).map(([name, group]) => [
          name,
          { name, gid: name === 'root' ? 0 : 1000, members: [], ...group },
        ]),
      );
    },
    async canConnect(address, port) {
      return (state.listening ?? []).includes(`${address}:${port}`);
    },
    async reachesMaster() {
      return state.reachesMaster ?? true;
    },
    async httpSend(url, { method, body = '' }) {
      did(`${method} ${url} ${body}`.trim());
      const known = state.http?.[url];
      return known === undefined
        ? null
        : { status: 200, headers: {}, body: Buffer.alloc(0), ...known };
    },
    async httpGet(url) {
      const answer = state.http?.[url];
      return answer === undefined
        ? null
        : { status: 200, headers: {}, body: new Uint8Array(), ...answer };
    },
    async shared<T>(topic: string, load: () => Promise<T>): Promise<T> {
      const held = cache.get(topic) ?? load();
      cache.set(topic, held);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the topic says what it holds
      return held as Promise<T>;
    },
    async recall(name) {
      return memory.get(name) ?? null;
    },
    async kept(name) {
      return keeps.get(name) ?? null;
    },
    port(name) {
      const number = state.ports?.[name];
      if (number === undefined) throw new Error(`the fake host has no port named "${name}"`);
      return number;
    },
    async sleep(milliseconds) {
      slept.push(milliseconds);
    },

    async run(argv, options = {}) {
      const answer = answerTo(state, argv, options) ?? {
        exitCode: 0,
        stdout: '',
        stderr: '',
        raw: new Uint8Array(),
      };
      calls.push({ argv, options });
      did(argv.join(' '));
      if (answer.exitCode === 0) return answer;
      throw new ConductorError(
        'COMMAND_FAILED',
        `Cannot run "${argv[0]}": it exited with ${answer.exitCode}`,
        {
          exitCode: answer.exitCode,
          output: answer.stderr,
        },
      );
    },
    async writeFile(path, content, ownership = {}) {
      write({ path, content, ownership });
    },
    async writeFiles(files) {
      for (const file of files) write(file);
    },
    async makeDirectory(path, ownership = {}) {
      make(path, ownership);
    },
    async makeDirectories(paths, ownership = {}) {
      for (const path of paths) make(path, ownership);
    },
    async own(path, ownership) {
      const node = find(path);
      if (node === null)
        throw new ConductorError('HOST_FILE_FAILED', `Cannot own "${path}": it does not exist`);
      put(path, node, { ...node.status, ...statusOf(ownership) });
      const { user = '', group = '', mode = '' } = ownership;
      did(`own ${path} ${user}:${group} ${mode}`.trimEnd());
    },
    async ownIn(directory, wanted) {
      for (const [name, ownership] of wanted) {
        const node = find(`${directory}/${name}`);
        if (node !== null)
          put(`${directory}/${name}`, node, { ...node.status, ...statusOf(ownership) });
      }
      did(`ownIn ${directory} ${[...wanted.keys()].join(' ')}`);
    },
    async hardLink(path, to) {
      const node = find(to);
      if (node === null)
        throw new ConductorError(
          'HOST_FILE_FAILED',
          `Cannot link "${path}": "${to}" is no regular file`,
        );
      written.set(path, node);
      did(`hardLink ${path} -> ${to}`);
    },
    async link(path, to, ownership = {}) {
      put(path, { to }, { kind: 'symlink', mode: '0777', ...statusOf(ownership) });
      did(`link ${path} -> ${to}`);
    },
    async rename(from, to) {
      const node = find(from);
      if (node === null)
        throw new ConductorError('HOST_FILE_FAILED', `Cannot rename "${from}": it does not exist`);
      written.set(to, node);
      written.set(from, null);
      did(`rename ${from} ${to}`);
    },
    async remove(path) {
      const below = [
        ...Object.keys(state.files ?? {}),
        ...Object.keys(state.statuses ?? {}),
        ...written.keys(),
      ];
      for (const other of below) if (other.startsWith(`${path}/`)) written.set(other, null);
      written.set(path, null);
      did(`remove ${path}`);
    },
    changed(topic) {
      if (topic === 'everything') cache.clear();
      cache.delete(topic);
    },
    async keep(name, content) {
      if (content === null) keeps.delete(name);
      else keeps.set(name, content);
    },
    async remember(name, value) {
      if (value === null) memory.delete(name);
      else memory.set(name, value);
      did(`remember ${name}=${value}`);
    },
  };
}

function answerTo(state: HostState, argv: Argv, { input = '' }: CommandOptions): Output | null {
  const known = state.commands?.[argv.join(' ')];
  if (known === undefined) return null;
  const answer = typeof known === 'function' ? known(String(input)) : known;
  const given = typeof answer === 'string' ? { stdout: answer } : answer;
  return { exitCode: 0, stdout: '', stderr: '', raw: Buffer.from(given.stdout ?? ''), ...given };
}

function nodeIn(state: HostState, path: string): Node | null {
  const status = state.statuses?.[path];
  const to = state.links?.[path];
  if (to !== undefined)
    return { to, status: fullStatus({ kind: 'symlink', mode: '0777', ...status }) };
  const file = state.files?.[path];
  if (file !== undefined) {
    const content = typeof file === 'string' ? Buffer.from(file) : file;
    return { content, status: fullStatus({ size: content.byteLength, ...status }) };
  }
  return status === undefined ? null : { status: fullStatus(status) };
}

function fullStatus(status: Partial<FileStatus>): FileStatus {
  const mode = status.kind === 'directory' ? '0755' : '0644';
  const root = { uid: 0, gid: 0, user: 'root', group: 'root' };
  const times = { mtimeMs: 0, atimeMs: 0, ctimeMs: 0 };
  return { kind: 'file', mode, ...root, size: 0, ...times, links: 1, inode: '1:1', ...status };
}

function statusOf({ user, group, mode }: Ownership): Partial<FileStatus> {
  return {
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(mode === undefined ? {} : { mode: mode.padStart(4, '0') }),
  };
}

function fullAccount(name: string, account: Partial<Account>): Account {
  const id = name === 'root' ? 0 : 1000;
  const home = name === 'root' ? '/root' : `/home/${name}`;
  return { name, uid: id, gid: id, gecos: '', home, shell: '/bin/sh', ...account };
}
