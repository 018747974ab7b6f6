import { parseDuration } from './duration.ts';
import { ConductorError } from './errors.ts';
import { escapeControls } from './log.ts';

/** `--for` and `--why` of a pause, on either command line. Throws USAGE. */
export function pauseRequest(
  given: { readonly for?: string | undefined; readonly why?: string | undefined },
  longestSeconds: number,
): { seconds: number; why: string } {
  if (given.for === undefined)
    throw refused('--for is missing: a pause has to end, write --for 2h');
  const why = given.why?.trim() ?? '';
  if (why === '') throw refused('--why is missing: say why, for whoever finds it');
  if (why.length > 200) throw refused(`--why has ${why.length} characters: 200 are allowed`);
  if (/\p{Cc}/u.test(why)) throw refused('--why must be one line, without control characters');
  const seconds = parseDuration('--for', given.for);
  if (seconds <= longestSeconds) return { seconds, why };
  throw refused(`--for ${given.for} is too long: at most ${longestSeconds / 86_400}d are allowed`);
}

function refused(problem: string): ConductorError {
  return new ConductorError('USAGE', `Cannot pause: ${problem}`);
}

/** What holds back the runs that a minion would make by itself. */
export interface ShownPause {
  readonly until: string;
  readonly why: string;
}

/** `until 2026-11-29T18:00:00.000Z: moving the database`. */
export function pauseWords({ until, why }: ShownPause): string {
  return `until ${escapeControls(until)}: ${escapeControls(why)}`;
}
