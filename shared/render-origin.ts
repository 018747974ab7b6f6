import { partsOfKey } from './declaration-key.ts';
import { escapeControls } from './log.ts';

/** Why something changed, and what is owed, as words for a person. */

export type ShownOrigin =
  | { readonly kind: 'intended' }
  /** How often and since when is one host's own. */
  | { readonly kind: 'drift'; readonly times?: number; readonly since?: string }
  | { readonly kind: 'follows'; readonly because: string }
  | { readonly kind: 'unknown'; readonly because: string };

/** What stood there before drift was taken back. */
export interface ShownBefore {
  readonly changedAt: string;
  readonly kept?: string | undefined;
  readonly notKept?: string | undefined;
}

/** A reaction that is owed. */
export interface ShownDebt {
  readonly key: string;
  readonly kind: string;
  readonly because: string;
  readonly since: string;
}

/** The word that tells drift from what the tree asked for; empty where nothing is to be told. */
export function originWord(origin: ShownOrigin | undefined): string {
  if (origin?.kind === 'drift') return 'drift';
  return origin?.kind === 'unknown' ? 'perhaps drift' : '';
}

/** How often, when the host says that it was changed, and where to see what was there. */
export function originLines(
  origin: ShownOrigin | undefined,
  before: ShownBefore | undefined,
): string[] {
  if (origin === undefined || origin.kind === 'intended') return [];
  if (origin.kind === 'follows') return [`after ${escapeControls(origin.because)}`];
  const first =
    origin.kind === 'unknown'
      ? [`perhaps drift: ${escapeControls(origin.because)}`]
      : often(origin);
  return [...first, ...(before === undefined ? [] : beforeLines(before))];
}

function often({ times, since = '' }: Extract<ShownOrigin, { kind: 'drift' }>): string[] {
  if (times === undefined) return [];
  if (times === 1) return ['drift for the first time'];
  return [`drift ${times} times since ${escapeControls(since)}`];
}

function beforeLines({ changedAt, kept, notKept }: ShownBefore): string[] {
  const touched = `touched ${escapeControls(changedAt)}, says the clock of the host`;
  if (kept !== undefined) return [touched, `it held: minion drift show ${kept.slice(0, 12)}`];
  if (notKept === undefined) return [touched];
  return [touched, `what it held is not kept: ${escapeControls(notKept)}`];
}

/** `service.running web: watch of file.managed /etc/web.conf, since …`. */
export function renderDebt({ key, kind, because, since }: ShownDebt): string {
  const words = `${nameOf(key)}: ${kind} of ${nameOf(because)}, since ${since}`;
  return escapeControls(words);
}

function nameOf(key: string): string {
  const { type, id, name } = partsOfKey(key);
  return name === id || name === '' ? `${type} ${id}`.trim() : `${type} ${id} (${name})`;
}
