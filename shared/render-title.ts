import { escapeControls } from './log.ts';

/** What a state is called, on one line. A script may be that: its first line tells it from others. */
export function titleOf(text: string): string {
  const [first = '', ...rest] = text.trim().split('\n');
  return rest.length === 0 ? escapeControls(text) : `${escapeControls(first)} …`;
}
