import type { Place } from './place.ts';

export const REQUISITE_KINDS = [
  'require',
  'require_any',
  'watch',
  'watch_any',
  'onchanges',
  'onchanges_any',
  'onfail',
  'onfail_any',
  'onfail_all',
  'prereq',
  'listen',
] as const;

export type RequisiteKind = (typeof REQUISITE_KINDS)[number];

/** What one declaration asks of others; references, `_in` forms, globs and `use` are resolved. */
export interface Requisite {
  readonly kind: RequisiteKind;
  /** Keys of declarations; never empty. */
  readonly targets: readonly string[];
  /** Not written by the author, but follows from what the things are. */
  readonly implied: boolean;
}

/** Conditions that are looked at on the host before a state; command lines are for `/bin/sh`. */
export interface Guards {
  /** Skipped if all of these commands succeed. */
  readonly unless: readonly string[];
  /** Skipped if any of these commands fails. */
  readonly onlyif: readonly string[];
  /** Skipped if all of these paths exist. */
  readonly creates: readonly string[];
}

export interface Retry {
  readonly attempts: number;
  readonly intervalSeconds: number;
  /** Up to this many seconds more, at random. */
  readonly splaySeconds: number;
}

/** One state in a file, evaluated and validated, with its place: what the engine converges. */
export interface Declaration {
  /** Stable from run to run and unique in a catalog: `type|id|name`. */
  readonly key: string;
  readonly id: string;
  readonly name: string;
  /** `user.present`. */
  readonly type: string;
  /** Checked and canonicalized by the type's schema; tree files are resolved (`TreeFile`). */
  readonly args: unknown;
  readonly place: Place;
  /** The state file it stands in: `web.site`. */
  readonly stateFile: string;
  readonly requisites: readonly Requisite[];
  readonly guards: Guards;
  /** Commands that must succeed after the state (unless the type has a `check_cmd` of its own). */
  readonly checkCommands: readonly string[];
  readonly retry: Retry | null;
  /** For the whole state; `null` is the engine's default. */
  readonly timeoutSeconds: number | null;
  readonly failhard: boolean;
  /** The user that guards and commands run as; `null` is root. */
  readonly runas: string | null;
  /** Names given to `{{ port … }}` in its arguments. */
  readonly ports: readonly string[];
}

/** All that one minion is to be, in the order in which it is converged. */
export interface Catalog {
  readonly revision: string;
  readonly declarations: readonly Declaration[];
  /** Every port name used or declared, with its number. */
  readonly ports: ReadonlyMap<string, number>;
  /** Strings that must never be shown: sealed values and what was computed from them. */
  readonly secrets: readonly string[];
}
