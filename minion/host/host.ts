/** A program and its arguments. Never a line for a shell. */
export type Argv = readonly [program: string, ...args: string[]];

export interface CommandOptions {
  /** Given on standard input, which is empty otherwise: the only way for a secret to reach a child. */
  readonly input?: string | Uint8Array;
  /** The login name to run as, with that user's groups, HOME, USER and LOGNAME; root if absent. */
  readonly user?: string;
  readonly cwd?: string;
  /** Added to a small clean environment (PATH, LANG=C.UTF-8, HOME, USER, LOGNAME, SHLVL). Never a secret. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 300 s; then TERM to the process group, and KILL 10 s later. */
  readonly timeoutMs?: number;
  readonly umask?: string;
  /** A directory that it finds empty, in memory, and where nobody else sees what it writes. */
  readonly inMemory?: string;
  /** Directories that it cannot write to, whoever it is; none of them need be there. */
  readonly readOnly?: readonly string[];
}

/** What a command answered. Output that is not UTF-8 is kept with replacement characters here and as bytes in `raw`. */
export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly raw: Uint8Array;
}

/** What stands at a path (never followed): all from one `lstat`. */
export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Four octal digits: `0644`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Login and group names, or the number as text where there is no name. */
  readonly user: string;
  readonly group: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly atimeMs: number;
  readonly ctimeMs: number;
  readonly links: number;
  /** Equal for two names of one file. */
  readonly inode: string;
}

/** One thing below a directory. */
export interface FoundBelow extends FileStatus {
  /** Without the directory's own path. */
  readonly path: string;
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

export interface AccountGroup {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** What a file or directory is to have; what is not said keeps what it has (new files: root, 0644/0755). */
export interface Ownership {
  readonly user?: string;
  readonly group?: string;
  /** Octal digits. */
  readonly mode?: string;
  /** When its content was last changed, in seconds since 1970. */
  readonly modified?: number;
}

/** One of several files that are written together. */
export interface FileToWrite {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly ownership: Ownership;
}

/** The half of a host that can be looked at: all that `read` and `want` ever get. */
export interface HostView {
  /** The minion's id. */
  readonly minion: string;
  /** Runs a command that only looks. Every exit code is an answer; a missing program is exit code 127. */
  query(argv: Argv, options?: CommandOptions): Promise<Output>;
  /**
   * The bytes of a regular file; `null` if there is none. Symbolic links are followed only where
   * nobody but root can change them.
   */
  readFile(path: string): Promise<Uint8Array | null>;
  /** What stands at a path; `null` if nothing does. */
  status(path: string): Promise<FileStatus | null>;
  /** Where a symbolic link points; `null` if there is none at the path. */
  readLink(path: string): Promise<string | null>;
  /** Names in a directory, sorted; `null` if there is none. */
  list(path: string): Promise<readonly string[] | null>;
  /**
   * Everything below a directory, each directory before what is in it and otherwise sorted; no
   * symbolic link is followed. `maxDepth` 0 is only what is directly in it. `null` if there is none.
   */
  walk(
    path: string,
    options?: { readonly maxDepth?: number },
  ): Promise<readonly FoundBelow[] | null>;
  /** The accounts of this host, by name (one read a run, renewed by `changed('accounts')`). */
  accounts(): Promise<ReadonlyMap<string, Account>>;
  groups(): Promise<ReadonlyMap<string, AccountGroup>>;
  /** Whether something accepts TCP connections there within the time given. */
  canConnect(address: string, port: number, timeoutMs: number): Promise<boolean>;
  /** Whether a new connection to one of this minion's masters can be made; so it is if it has none. */
  reachesMaster(): Promise<boolean>;
  /** An HTTP GET that follows no redirect; `null` if nothing answers. */
  httpGet(url: string, options: HttpOptions): Promise<HttpAnswer | null>;
  /** The same answer for everybody who asks under one topic, until somebody calls `changed(topic)`. */
  shared<T>(topic: string, load: () => Promise<T>): Promise<T>;
  /** What the minion's registry remembers under a name; `null` if nothing. */
  recall(name: string): Promise<string | null>;
  /** What was kept under a name by a run that was killed; `null` if nothing. */
  kept(name: string): Promise<Uint8Array | null>;
  /** The number that `{{ port name }}` gave when this run was compiled. */
  port(name: string): number;
  /** Waits; ends early with CANCELLED or COMMAND_TIMEOUT when the run or the state must end. */
  sleep(milliseconds: number): Promise<void>;
}

export interface HttpOptions {
  readonly timeoutMs: number;
  /** `GET` if absent. */
  readonly method?: 'GET' | 'HEAD';
  /** Hangs up once the headers are there: the body is empty. */
  readonly onlyHeaders?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Connect here instead of the address that the URL's name has, e.g. `127.0.0.1`. */
  readonly address?: string;
}

/** A request that may change what is behind the URL. */
export interface HttpSending extends Omit<HttpOptions, 'method' | 'onlyHeaders'> {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A host that can be changed: given to `apply` and `react` only. */
export interface Host extends HostView {
  /** Runs a command that changes the host. Throws COMMAND_FAILED unless it exits with 0. */
  run(argv: Argv, options?: CommandOptions): Promise<Output>;
  /**
   * Replaces a file in one step, so that nobody ever reads a part of it or finds it with a wider
   * mode; keeps the owner and mode of a file that is there where none is said. Safe below
   * directories that others own.
   */
  writeFile(path: string, content: string | Uint8Array, ownership?: Ownership): Promise<void>;
  /**
   * The same for many files, each replaced in one step, in much less time: some hundred at once are
   * brought to the disk before the first of these is put in place. Contents are taken as they are needed.
   */
  writeFiles(files: Iterable<FileToWrite>): Promise<void>;
  /** Makes one directory (its parent must be there). */
  makeDirectory(path: string, ownership?: Ownership): Promise<void>;
  /** The same for several, each after the one that it is in. */
  makeDirectories(paths: readonly string[], ownership?: Ownership): Promise<void>;
  /** Gives what stands at a path these owners and this mode; never follows a symbolic link. */
  own(path: string, ownership: Ownership): Promise<void>;
  /** The same for several names in one directory; what is no longer there is passed over. */
  ownIn(directory: string, wanted: ReadonlyMap<string, Ownership>): Promise<void>;
  /** Makes a path another name of a regular file, in one step. */
  hardLink(path: string, to: string): Promise<void>;
  /** Makes or replaces a symbolic link in one step. */
  link(path: string, to: string, ownership?: Ownership): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes what stands at a path, a directory with all that is in it; nothing there is fine. */
  remove(path: string): Promise<void>;
  /** An HTTP request that may change something; follows no redirect. `null` if nothing answers. */
  httpSend(url: string, options: HttpSending): Promise<HttpAnswer | null>;
  /** Says that what is read under a shared topic is no longer true; `everything` is all topics. */
  changed(topic: string): void;
  /** Writes to the minion's registry (`null` forgets); on disk when it returns. */
  remember(name: string, value: string | null): Promise<void>;
  /** Keeps what is needed again if the run is killed, such as what it replaces, sealed (`null` forgets); on disk when it returns. */
  keep(name: string, content: Uint8Array | null): Promise<void>;
}
