import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView, Output } from '../../../host/host.ts';

const QUERY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2000;

/** Asks a server for as long as it is told to. */
type Ask = (timeoutMs: number) => Promise<Output>;

/** How a server is called in messages, and what tells it from others. */
export interface Asked {
  readonly title: string;
  readonly key: string;
  /** What the client says of a server that says nothing. */
  readonly isSilence: RegExp;
  /** How long the client waits until it says so. */
  readonly connectMs: number;
}

/**
 * Waits for the answer of a server. One that did not answer once in a run is only asked briefly from then on, whether it
 * is there again: what else is declared in it would wait as long, one state after the other.
 */
export async function askPatiently(
  host: HostView,
  server: Asked,
  question: Ask,
  probe: Ask,
): Promise<Output> {
  const silent = await host.shared('silent servers', async () => new Set<string>());
  const asking = async (ask: Ask, timeoutMs: number): Promise<Output> => {
    const output = await answerOf(ask, timeoutMs);
    if (output !== null && !server.isSilence.test(output.stderr)) return output;
    silent.add(server.key);
    const seconds = (output === null ? timeoutMs : server.connectMs) / 1000;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot reach ${server.title}: the server does not answer within ${seconds} s`,
    );
  };
  if (silent.has(server.key)) {
    await asking(probe, PROBE_TIMEOUT_MS);
    silent.delete(server.key);
  }
  return asking(question, QUERY_TIMEOUT_MS);
}

/** `null` if there was none in time. */
async function answerOf(ask: Ask, timeoutMs: number): Promise<Output | null> {
  try {
    return await ask(timeoutMs);
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'COMMAND_TIMEOUT') return null;
    throw error;
  }
}
