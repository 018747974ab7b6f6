import type { TargetState } from '../../protocol/messages.ts';
import type { Counts, Report } from '../../protocol/report.ts';
import type { Rollout } from '../jobs/rollout.ts';
import type { JsonMapping } from '../json-values.ts';
import type { AttendanceStore } from './attendance-store.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { DriftStore } from './drift-store.ts';
import type { IntentionStore } from './intention-store.ts';
import type { RevisionStore } from './revision-store.ts';

/**
 * What survives a restart of the master. A promise that a method returns is kept once what it wrote
 * is on disk; what one method writes is written whole or not at all. Times are ISO 8601 in UTC.
 */
export interface Store {
  readonly minions: MinionStore;
  readonly attendance: AttendanceStore;
  readonly intentions: IntentionStore;
  readonly invitations: InvitationStore;
  readonly jobs: JobStore;
  readonly reports: ReportStore;
  readonly drifts: DriftStore;
  readonly revisions: RevisionStore;
  readonly certificates: CertificateStore;
  close(): Promise<void>;
}

export const KEY_STATES = ['pending', 'accepted', 'rejected', 'revoked'] as const;

export type KeyState = (typeof KEY_STATES)[number];

/** A minion's key and what is known of the minion. */
export interface Minion {
  readonly id: string;
  /** Ed25519, hex. */
  readonly publicKey: string;
  readonly state: KeyState;
  /** Raised whenever what the key may do changes: a session of an older generation is over. */
  readonly generation: number;
  readonly groups: readonly string[];
  readonly createdAt: string;
  readonly acceptedAt: string | null;
  /** Who accepted it: `operator`, or `invitation TID`. */
  readonly acceptedBy: string | null;
  /** Where it was last seen; for people only. */
  readonly address: string | null;
  /** When it last came or went; if a master ended meanwhile, when it was last known to be there. */
  readonly seenAt: string | null;
  readonly version: string | null;
  readonly nextRefresh: string | null;
}

export type Facts = JsonMapping;

/** What is noted when a minion comes or goes. */
export interface Sighting extends Partial<
  Pick<Minion, 'address' | 'seenAt' | 'version' | 'nextRefresh'>
> {
  readonly isConnected?: boolean;
}

export interface MinionStore {
  /** By id. */
  list(): Promise<readonly Minion[]>;
  get(id: string): Promise<Minion | null>;
  /** Throws KEY_STATE if the id or the key is already known. */
  add(minion: Minion): Promise<void>;
  /** Changes the key's state or groups and raises the generation; `null` if there is no such id. */
  change(id: string, change: KeyChange): Promise<Minion | null>;
  /** `false` if there was none. */
  remove(id: string): Promise<boolean>;
  note(id: string, sighting: Sighting): Promise<void>;
  facts(id: string): Promise<{ facts: Facts; updatedAt: string } | null>;
  /** Of all minions that ever sent some. */
  allFacts(): Promise<ReadonlyMap<string, Facts>>;
  setFacts(id: string, facts: Facts, updatedAt: string): Promise<void>;
  /** Reads what the verdict depends on, asks for it, and writes what follows, in one transaction. */
  enrol(claim: Claim, judge: (known: Known) => Judgement): Promise<Enrolment>;
  /** Forgets keys that have been pending since before then; gives their ids. */
  removePending(createdBefore: string): Promise<readonly string[]>;
}

export interface KeyChange {
  /** Only if it is this key that the id has; hex. */
  readonly publicKey?: string;
  readonly state: KeyState;
  readonly groups?: readonly string[];
  readonly acceptedAt?: string;
  readonly acceptedBy?: string;
}

/** What a minion that has proved to hold a key says of itself. */
export interface Claim {
  readonly id: string;
  readonly publicKey: string;
  readonly address: string;
  /** The invitation that it shows, if it does. */
  readonly invitation: string | null;
  readonly at: string;
}

/** What the store holds about a claim. */
export interface Known {
  readonly minion: Minion | null;
  /** The key stands under another id. */
  readonly isForeignKey: boolean;
  readonly invitation: Invitation | null;
  readonly pendingKeys: number;
  readonly pendingKeysAtAddress: number;
}

/** A verdict and what has to be written for it. */
export type Judgement =
  | { readonly verdict: 'accepted'; readonly write: 'nothing' | 'consume-invitation' }
  | { readonly verdict: 'pending'; readonly write: 'nothing' | 'insert-pending' }
  | {
      readonly verdict: 'denied' | 'rejected';
      readonly write: 'nothing';
      readonly because: string;
    };

export interface Enrolment {
  readonly judgement: Judgement;
  /** The row as it is now; `null` if there is none. */
  readonly minion: Minion | null;
}

/** A join string's master half. The secret itself is never stored. */
export interface Invitation {
  /** 16 bytes, hex. */
  readonly tid: string;
  /** SHA-256 of the secret, hex. */
  readonly secretHash: string;
  /** Ids that may use it; `*` for any. */
  readonly idGlob: string;
  readonly groups: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly usedBy: string | null;
}

export interface InvitationStore {
  add(invitation: Invitation): Promise<void>;
  get(tid: string): Promise<Invitation | null>;
  /** Forgets those that ended before then. */
  removeExpired(before: string): Promise<void>;
}

export interface Job {
  readonly id: string;
  readonly createdAt: string;
  readonly target: string;
  readonly stateFiles: readonly string[];
  readonly params: JsonMapping;
  readonly dryRun: boolean;
  readonly timeoutSeconds: number;
  readonly revision: string;
  readonly rollout: Rollout;
  /** When somebody asked for its end. */
  readonly cancelledAt: string | null;
  /** The job of which it tries the failed targets again. */
  readonly retryOf: string | null;
}

/** Which runs are asked for; what is not given does not matter. */
export interface RunQuery {
  readonly limit: number;
  /** Of their ids. */
  readonly prefix?: string | undefined;
  /** Made before this one. */
  readonly before?: { readonly at: string; readonly id: string } | undefined;
  /** Made since then. */
  readonly since?: string | undefined;
  /** On any of these minions, and in any of these states there. */
  readonly minions?: readonly string[] | undefined;
  readonly states?: readonly TargetState[] | undefined;
}

export interface TargetError {
  readonly code: string;
  readonly message: string;
}

/** One minion's part in a job. */
export interface JobTarget {
  readonly job: string;
  readonly minion: string;
  readonly state: TargetState;
  readonly updatedAt: string;
  readonly counts: Counts | null;
  readonly error: TargetError | null;
  /** A minion that has not accepted it by then never starts it; `null` until its turn has come. */
  readonly expiresAt: string | null;
  /** If it has not reported by then it is given up as timed out; `null` until its turn has come. */
  readonly deadline: string | null;
}

/** What a target becomes; what is not given stays. */
export type TargetChange = Pick<JobTarget, 'state' | 'updatedAt'> &
  Partial<Pick<JobTarget, 'counts' | 'error' | 'expiresAt' | 'deadline'>>;

/** How many targets of a job are in each state, of those that have any. */
export type Tally = ReadonlyMap<TargetState, number>;

export interface JobStore {
  create(job: Job, targets: readonly JobTarget[]): Promise<void>;
  get(id: string): Promise<Job | null>;
  /** Newest first. */
  list(query: RunQuery): Promise<readonly Job[]>;
  targets(job: string): Promise<readonly JobTarget[]>;
  /** `false`, and nothing changed, unless the target's state is one of `from`. */
  moveTarget(
    of: { job: string; minion: string; from: readonly TargetState[] },
    change: TargetChange,
  ): Promise<boolean>;
  /** All targets that have not ended. */
  unfinished(): Promise<readonly JobTarget[]>;
  /** A minion's targets that have not ended, oldest first. */
  unfinishedOf(minion: string): Promise<readonly { job: Job; target: JobTarget }[]>;
  /**
   * The state files of jobs of a revision that a minion may still run: they have not ended there, or
   * it was given them and has never said how they ended, whatever the master has made of that.
   */
  stateFilesOpenTo(minion: string, revision: string): Promise<ReadonlySet<string>>;
  /** Before any of its targets has got it. */
  setRevision(id: string, revision: string): Promise<void>;
  /** Notes that somebody asked for the end of it; the first time stays. */
  cancel(id: string, at: string): Promise<void>;
  /** Those of these jobs whose end has been asked for. */
  cancelledOf(ids: readonly string[]): Promise<readonly string[]>;
  /** Jobs of which a target waits to be delivered or accepted. */
  withQueued(): Promise<readonly Job[]>;
  /** By minion. */
  queuedOf(job: string): Promise<readonly Pick<JobTarget, 'minion' | 'expiresAt'>[]>;
  /** Minions that have been sent it, and of which nobody knows that they have ended. */
  underWayOf(job: string): Promise<readonly string[]>;
  tally(job: string): Promise<Tally>;
  /** How many runs of it have ended after then. */
  endedAfter(job: string, then: string): Promise<number>;
  /** Targets whose time is over: not accepted by `expiresAt`, or not reported by `deadline`. */
  overdue(now: string): Promise<readonly { target: JobTarget; why: 'expired' | 'timeout' }[]>;
}

/** A report without its outcomes. */
export interface ReportSummary {
  readonly job: string;
  readonly minion: string;
  readonly cause: Report['cause'];
  readonly status: Report['status'];
  readonly dryRun: boolean;
  /** Those that were applied in place of the top file's; none of a run of the whole tree. */
  readonly stateFiles: readonly string[];
  readonly revision: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly counts: Counts;
  readonly owed: number;
}

/** What a minion did last; a dry run is nothing that it did. */
export interface LatestRuns {
  /** Of the whole tree. */
  readonly whole: ReportSummary | null;
  /** Of some state files, if that was after the run of the whole tree. */
  readonly partial: ReportSummary | null;
}

export interface ReportStore {
  /**
   * Keeps a report and ends its target, if the job has one. `false` if this (job, minion) has a
   * report already, which then stays as it is.
   */
  add(report: Report, receivedAt: string): Promise<boolean>;
  get(job: string, minion: string): Promise<Report | null>;
  /** Newest first, those of runs that nobody asked the master for. */
  withoutJob(
    asked: RunQuery & { cause?: Report['cause'] | undefined },
  ): Promise<readonly ReportSummary[]>;
  /** How long such runs, that went well, took on a minion: the middle one of the last few. */
  usualMilliseconds(
    minion: string,
    like: Pick<Job, 'dryRun' | 'stateFiles'>,
  ): Promise<number | null>;
  /** Of each minion that has a key here and has run anything. */
  latest(): Promise<ReadonlyMap<string, LatestRuns>>;
  /** How many bytes of reports have come since they were pruned last, or since the store was opened. */
  bytesAdded(): number;
  /**
   * Forgets reports received before then, and above the size the oldest ones of whichever minions have most; jobs go
   * with them. What each minion did last stays, as `latest` tells it, and its newest run of some state files.
   */
  prune(limits: { receivedBefore: string; bytes: number }): Promise<number>;
}
