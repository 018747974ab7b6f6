import type { Catalog, Declaration } from '../../language/declaration.ts';
import type { Outcome, RunEvent } from '../../protocol/report.ts';
import type { Change } from '../../shared/change.ts';
import type { Logger } from '../../shared/log.ts';
import type { Hosts } from '../host/view.ts';
import type { Deadline } from './deadline.ts';
import type { Memory } from './drift/memory.ts';
import type { KeptFile } from './kept-files.ts';
import type { OwedJournal } from './owed.ts';
import type { Reactions } from './reactions.ts';
import type { Redaction, SecretNames } from './redaction.ts';
import type { Standing } from './requisites.ts';
import type { StateType } from './state-type.ts';

/** What a run of a catalog is given. */
export interface RunOptions {
  readonly catalog: Catalog;
  readonly types: ReadonlyMap<string, StateType>;
  readonly hosts: Hosts;
  readonly journal: OwedJournal;
  readonly redaction: Redaction;
  readonly memory: Memory;
  readonly dryRun: boolean;
  /** The catalog is all that the minion is to be, not some state files of it. */
  readonly isWhole: boolean;
  /** Ends the run; its reason says why. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Told of a state that its guards may skip the next time, before it acts. */
  readonly begins?: (key: string) => void;
  /** Those that an earlier start of this run was killed in, and when it had begun with them; by key as it is shown. */
  readonly unfinished?: ReadonlyMap<string, string>;
  readonly log: Logger;
  /** For a state that says nothing of its own; default 1800 s. */
  readonly stateTimeoutMs?: number;
  /** How long a state that was told to end may take to do so; default 15 s. */
  readonly patienceMs?: number;
}

/** What one state of the run has changed of a text. */
export interface Made {
  readonly key: string;
  readonly id: string;
  readonly change: Extract<Change, { readonly action: 'update' }>;
}

/** A run under way. */
export interface RunContext extends RunOptions {
  readonly reactions: Reactions;
  readonly startedAt: Date;
  /** Of each declaration, those that name it in a `prereq`. */
  readonly preparedBy: ReadonlyMap<string, readonly Declaration[]>;
  readonly byKey: ReadonlyMap<string, Declaration>;
  /** Of those whose turn is over. */
  readonly standings: Map<string, Standing>;
  readonly outcomes: Map<string, Outcome>;
  readonly secretNames: SecretNames;
  /** The last command of the tree's author that ran because it is new: what it changed, nobody knows. */
  readonly unforeseen: { by: string | null };
  /** By declaration, the files that it has changed as they were: a service may need them back. */
  readonly kept: Map<string, readonly KeptFile[]>;
  /** By the resource name of a file, what states of this run have changed of its text. */
  readonly made: Map<string, readonly Made[]>;
  /** How much of differences the report can still take. */
  readonly diffs: { charactersLeft: number };
}

const STATE_TIMEOUT_MS = 1_800_000;
const PATIENCE_MS = 15_000;

/** The time that one declaration has. */
export function deadlineFor({ id, timeoutSeconds }: Declaration, options: RunOptions): Deadline {
  const { stateTimeoutMs = STATE_TIMEOUT_MS, patienceMs = PATIENCE_MS, signal } = options;
  const milliseconds = timeoutSeconds === null ? stateTimeoutMs : timeoutSeconds * 1000;
  return { what: `"${id}"`, milliseconds, signal, patienceMs };
}

export function typeOf({ types }: Pick<RunOptions, 'types'>, { type }: Declaration): StateType {
  const found = types.get(type);
  if (found === undefined) throw new Error(`the catalog holds the unknown state type "${type}"`);
  return found;
}
