/**
 * What state types in `states/_types/` import from "conductor", for editors and `tsc`. It is no part
 * of a run: Conductor itself stands behind the import. Types need `npm install zod` beside the tree.
 */
declare module 'conductor' {
  import type { z as Zod } from 'zod';

  /** The schemas of arguments: https://zod.dev */
  export { z } from 'zod';

  /** What can be said about one attribute: plain data, so that it can be compared, printed and sent. */
  export type Value =
    | string
    | number
    | boolean
    | null
    | readonly Value[]
    | { readonly [name: string]: Value };

  /** What can be said about one thing on a host. */
  export type Attributes = { readonly [name: string]: Value };

  /** The step from how a thing is to how it should be. `to` holds only what differs. */
  export type Change<State extends Attributes = Attributes> =
    | { readonly action: 'create'; readonly to: Partial<State> }
    | { readonly action: 'update'; readonly from: State; readonly to: Partial<State> }
    | { readonly action: 'remove'; readonly from: State };

  /** One kind of state that a tree can declare. The engine decides; the type reads and acts. */
  export interface StateType<Args = unknown, State extends Attributes = Attributes> {
    /** The name in state trees: `module.function`. */
    readonly name: `${string}.${string}`;
    /** A closed object with a description, each argument described; `name` among them. */
    readonly schema: Zod.ZodType<Args>;
    /** A short example in YAML, for the manual; `master lint` compiles it. */
    readonly example: string;
    /** Arguments that may hold a path below `templates/`; they reach the type as a `TreeFile`. */
    readonly treeFiles?: readonly string[];
    /** Arguments that list such paths; each reaches the type as a `TreeFile`. */
    readonly treeFileLists?: readonly string[];
    /** Arguments that hold a directory below `templates/`; they reach the type as a `TreeDirectory`. */
    readonly treeDirectories?: readonly string[];
    /** Arguments that name values of the pillar (`certificates:shop:key`); they reach the type as these. */
    readonly pillarPaths?: readonly string[];
    /** It acts without a wanted state of its own, so the tree must give a guard or `always: true`. */
    readonly needsGuard?: true;
    /** Its effect cannot be read back: after `apply` the engine does not read again. */
    readonly oneShot?: true;
    /** It brings nothing about: `apply` waits for what others do. */
    readonly awaits?: true;
    /** How it should be follows from what other states bring about: a dry run waits for those. */
    readonly isDerived?: true;
    /** What it wants depends on how the thing is: wanting something else than before is not called a wish of the tree's. */
    readonly isRelative?: true;
    /** The attribute whose differences are shown as text, line by line. */
    readonly textAttribute?: string;
    /** Attributes that are digests of what is not to be shown: reports have marks of them, which tell nothing. */
    readonly digests?: readonly string[];
    /** The argument that says the permissions of the file that it writes: one by which everybody could read a secret is a mistake. */
    readonly modeArgument?: string;
    /** Why everybody can read what it writes, so that a secret in it is a mistake in the tree. */
    readonly publishes?: string;
    /** What it brings about, as resource names: `user:NAME`, `path:/abs`, `package:NAME`, … */
    provides?(args: Args): readonly string[];
    /** Where the one file stands that it manages, if that is not the first that it provides. */
    path?(args: Args): string;
    /** What it takes away, as resource names: what later states find gone once it has changed. */
    takes?(args: Args): readonly string[];
    /** What must be there before it, if the tree declares it: the implied requisites. */
    needs?(args: Args): readonly string[];
    /** How the thing is now; `null` if it does not exist. Changes nothing. */
    read(args: Args, host: HostView): Promise<State | null>;
    /** How it should be: only the attributes asked for; `null` if it should not exist. */
    want(args: Args, host: HostView): Partial<State> | null | Promise<Partial<State> | null>;
    /** Why only carrying it out tells whether it changes anything; a dry run then says `unknown`. */
    uncertain?(args: Args, change: Change<State>, host: HostView): string | null | Promise<string | null>;
    /** Whether it may do without a guard for once; `needsGuard` holds otherwise. */
    goesUnguarded?(args: Args): boolean;
    /** What whoever reads the report is to be told, whether or not anything changes. */
    says?(args: Args, state: State | null): string;
    /**
     * Throws a `ConductorError` if this change cannot be carried out as the host is, so that a plan says it and a run
     * ends before its first effect. Changes nothing.
     */
    refuses?(change: Change<State>, args: Args, host: HostView): Promise<void>;
    /**
     * Carries out one change. Not called in a dry run. Answers `unchanged` if there turned out to be nothing to do, or
     * with what a command printed, for the report.
     */
    apply(
      change: Change<State>,
      args: Args,
      host: Host,
    ): Promise<void | 'unchanged' | { readonly printed: string }>;
    /** Whether carrying out this change has the effect of `react` too. */
    answers?(change: Change<State>): boolean;
    /** Answers a `watch` or `listen`. Says what was done. */
    react?(args: Args, host: Host): Promise<string>;
  }

  /** Defines a state type; export what it gives. */
  export function defineState<Args, State extends Attributes>(
    type: StateType<Args, State>,
  ): StateType;

  /** A program and its arguments. Never a line for a shell. */
  export type Argv = readonly [program: string, ...args: string[]];

  export interface CommandOptions {
    /** Given on standard input: the only way for a secret to reach a command. */
    readonly input?: string | Uint8Array;
    /** The login name to run as, with that user's groups and HOME; root if absent. */
    readonly user?: string;
    readonly cwd?: string;
    /** Added to a small clean environment. Never a secret. */
    readonly env?: Readonly<Record<string, string>>;
    /** Default 300 s. */
    readonly timeoutMs?: number;
    readonly umask?: string;
  }

  export interface Output {
    readonly exitCode: number;
    readonly stdout: string;
    readonly stderr: string;
    readonly raw: Uint8Array;
  }

  /** What stands at a path; a symbolic link is not followed. */
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

  /** What a file or directory is to have; what is not said keeps what it has. */
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

  export interface HttpOptions {
    readonly timeoutMs: number;
    /** `GET` if absent. */
    readonly method?: 'GET' | 'HEAD';
    /** Hangs up once the headers are there: the body is empty. */
    readonly onlyHeaders?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
    /** Connect here instead of the address that the URL's name has. */
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

  /** The half of a host that can be looked at: all that `read` and `want` get. */
  export interface HostView {
    /** The minion's id. */
    readonly minion: string;
    /** Runs a command that only looks. Every exit code is an answer; a missing program is 127. */
    query(argv: Argv, options?: CommandOptions): Promise<Output>;
    /** The bytes of a regular file; `null` if there is none. Links that others can change are refused. */
    readFile(path: string): Promise<Uint8Array | null>;
    status(path: string): Promise<FileStatus | null>;
    /** Where a symbolic link points; `null` if there is none at the path. */
    readLink(path: string): Promise<string | null>;
    /** Names in a directory, sorted; `null` if there is none. */
    list(path: string): Promise<readonly string[] | null>;
    /** Everything below a directory, sorted; no symbolic link is followed. `null` if there is none. */
    walk(
      path: string,
      options?: { readonly maxDepth?: number },
    ): Promise<readonly FoundBelow[] | null>;
    accounts(): Promise<ReadonlyMap<string, Account>>;
    groups(): Promise<ReadonlyMap<string, AccountGroup>>;
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
    /** The number that `{{ port name }}` gave. */
    port(name: string): number;
    sleep(milliseconds: number): Promise<void>;
  }

  /** A host that can be changed: given to `apply` and `react` only. */
  export interface Host extends HostView {
    /** Runs a command that changes the host. Throws COMMAND_FAILED unless it exits with 0. */
    run(argv: Argv, options?: CommandOptions): Promise<Output>;
    /** Replaces a file in one step; keeps owner and mode where none is said. */
    writeFile(path: string, content: string | Uint8Array, ownership?: Ownership): Promise<void>;
    /** The same for many files, in much less time: some hundred at once are put in place together. */
    writeFiles(files: Iterable<FileToWrite>): Promise<void>;
    makeDirectory(path: string, ownership?: Ownership): Promise<void>;
    /** The same for several, each after the one that it is in. */
    makeDirectories(paths: readonly string[], ownership?: Ownership): Promise<void>;
    own(path: string, ownership: Ownership): Promise<void>;
    /** The same for several names in one directory. */
    ownIn(directory: string, wanted: ReadonlyMap<string, Ownership>): Promise<void>;
    /** Makes a path another name of a regular file, in one step. */
    hardLink(path: string, to: string): Promise<void>;
    link(path: string, to: string, ownership?: Ownership): Promise<void>;
    rename(from: string, to: string): Promise<void>;
    /** A directory goes with all that is in it; nothing there is fine. */
    remove(path: string): Promise<void>;
    /** An HTTP request that may change something; follows no redirect. `null` if nothing answers. */
    httpSend(url: string, options: HttpSending): Promise<HttpAnswer | null>;
    /** Says that what is read under a shared topic is no longer true. */
    changed(topic: string): void;
    /** Writes to the minion's registry (`null` forgets). */
    remember(name: string, value: string | null): Promise<void>;
    /** Keeps what is needed again if the run is killed, such as what it replaces, sealed (`null` forgets). */
    keep(name: string, content: Uint8Array | null): Promise<void>;
  }

  /** A file of the tree, already rendered if it is a template. */
  export interface TreeFile {
    readonly path: string;
    readonly sha256: string;
    readonly mode?: string;
    /** A secret of the pillar went into it: nobody else may read what is made of it. */
    readonly isSecret?: true;
    read(): Uint8Array;
  }

  /** A directory of the tree. */
  export interface TreeDirectory {
    readonly path: string;
    readonly files: readonly { readonly to: string; readonly file: TreeFile }[];
  }

  export function isTreeDirectory(value: unknown): value is TreeDirectory;
  export function isTreeFile(value: unknown): value is TreeFile;

  /** A failure that is no bug: `throw new ConductorError('STATE_REFUSED', 'Cannot …: …')`. */
  export class ConductorError extends Error {
    constructor(
      code: 'STATE_REFUSED' | 'SOURCE_MISSING' | 'CHECK_FAILED' | 'NOT_FOUND',
      message: string,
      details?: { readonly [name: string]: unknown },
    );
  }

  type Canonical = Zod.ZodPipe<Zod.ZodString, Zod.ZodTransform<string, string>>;

  /** A path on the host, canonical. */
  export const absolutePath: Canonical;
  /** Permission bits: 644, 0644 and "0644" are the same mode. */
  export const fileMode: Zod.ZodType<string, string | number>;
  export const accountName: Zod.ZodString;
  /** An account or group, by its name or its number; as text. */
  export const accountReference: Zod.ZodType<string, string | number>;
  export const accountNames: Zod.ZodType<string[], string[]>;
  /** A text that fits on one line. */
  export const singleLine: Zod.ZodString;
  export const environment: Zod.ZodType<Record<string, string>>;
  export const tcpPort: Zod.ZodType<number, string | number>;
  /** A time in seconds; fractions are fine. */
  export const seconds: Zod.ZodNumber;
}
