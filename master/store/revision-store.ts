import type { Manifest } from '../../language/tree.ts';

export interface RevisionRecord {
  readonly id: string;
  readonly publishedAt: string;
  readonly manifest: Manifest;
}

export interface RevisionStore {
  /** Publishing a revision again makes it the newest. */
  publish(revision: RevisionRecord): Promise<void>;
  get(id: string): Promise<RevisionRecord | null>;
  newest(): Promise<RevisionRecord | null>;
  /** Forgets all but the newest ones and those that unfinished jobs name; gives what is left. */
  prune(keep: number): Promise<readonly RevisionRecord[]>;
}
