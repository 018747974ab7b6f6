import { escapeControls } from '../../shared/log.ts';

/** What stands before a line that does not name its host, if it may be of any of several. */
export function prefixOf(minion: string, { among }: { readonly among: number }): string {
  return among > 1 ? `${escapeControls(minion)} | ` : '';
}

/** The first line names its host; those below it get the prefix. */
export function prefixBelow(lines: readonly string[], prefix: string): string[] {
  return lines.map((line, index) => (index === 0 ? line : `${prefix}${line}`));
}
