import { pauseRequestSchema } from '../../protocol/pause.ts';
import type { PauseRequest } from '../../protocol/pause.ts';

/** What the agent may be asked by its own command line, in one line. */
export type LocalRequest =
  | { readonly ask: 'refresh' }
  | { readonly ask: 'status' | 'reconnect' }
  | { readonly ask: 'resume' }
  | ({ readonly ask: 'pause' } & PauseRequest);

const WORDS = ['refresh', 'status', 'reconnect', 'resume'] as const;

/** A word, and for a pause its JSON. */
export function writeRequest(request: LocalRequest): string {
  if (request.ask !== 'pause') return request.ask;
  const { seconds, why } = request;
  return `pause ${JSON.stringify({ seconds, why })}`;
}

/** `null` if it is nothing that may be asked. */
export function readRequest(line: string): LocalRequest | null {
  const ask = WORDS.find((word) => word === line);
  if (ask !== undefined) return { ask };
  if (!line.startsWith('pause ')) return null;
  const pause = pauseRequestSchema.safeParse(jsonOrNull(line.slice('pause '.length)));
  return pause.success ? { ask: 'pause', ...pause.data } : null;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
