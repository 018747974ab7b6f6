import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { Configuration } from '../config.ts';
import { agentHolding } from './agent-lock.ts';
import { readRequest, writeRequest } from './local-request.ts';
import type { LocalRequest } from './local-request.ts';

/**
 * The agent's door for its own command line: a unix socket that only root can open. One line asks,
 * an empty one says at once that it was heard, lines of JSON answer.
 */
const HEARD = '';

/** An agent that has not even heard by then has been stopped, or hangs. */
const PATIENCE_MS = 10_000;

/** Writes lines to one caller. */
export interface Caller {
  /** Without the newline. */
  write(line: string): void;
  end(): void;
  /** Called when the caller goes away, if it does so first. */
  onClose(handler: () => void): void;
}

export interface LocalParts {
  readonly path: string;
  readonly answer: (request: LocalRequest, caller: Caller) => void;
  readonly log: Logger;
}

/** Throws STATE_DIRECTORY_HELD if another agent answers there. */
export async function listenLocally(parts: LocalParts): Promise<Server> {
  const { path, log } = parts;
  if (await isAnswered(path))
    throw new ConductorError(
      'STATE_DIRECTORY_HELD',
      `Cannot start the agent: another one answers at "${path}"`,
    );
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    serve(parts, socket);
  });
  await listening(server, path);
  chmodSync(path, 0o600);
  server.on('error', (error) => {
    log.error({ path, error }, 'Local socket failed');
  });
  return server;
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const done = (isThere: boolean) => () => {
      probe.destroy();
      resolve(isThere);
    };
    probe.once('connect', done(true));
    probe.once('error', done(false));
  });
}

function serve({ answer, log }: LocalParts, socket: Socket): void {
  const asked = createInterface({ input: socket });
  // What reads a stream passes on its errors.
  for (const each of [socket, asked])
    each.on('error', (error) => {
      log.debug({ code: systemCode(error) }, 'Local caller went away');
    });
  const caller: Caller = {
    write: (line) => {
      if (socket.writable) socket.write(`${line}\n`);
    },
    end: () => {
      socket.end();
    },
    onClose: (handler) => {
      socket.once('close', handler);
    },
  };
  asked.once('line', (line) => {
    const request = readRequest(line);
    caller.write(HEARD);
    if (request !== null) answer(request, caller);
    else socket.end(`${JSON.stringify({ error: 'unknown request' })}\n`);
  });
}

/** Where an agent listens, and what it holds. */
type AgentPlace = Pick<Configuration, 'socket' | 'state_directory'>;

interface Asking {
  readonly patienceMs?: number;
  /** Leaves it alone: what was begun goes on, and CANCELLED is thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the agent and gives its lines as they come, however long they take once it has heard. Throws
 * MASTER_UNREACHABLE if none is running, or it does not hear.
 */
export async function* askAgent(
  agent: AgentPlace,
  request: LocalRequest,
  { patienceMs = PATIENCE_MS, signal }: Asking = {},
): AsyncGenerator<string> {
  const socket = connect(agent.socket);
  signal?.addEventListener('abort', () => socket.destroy(left()), { once: true });
  const silence = setTimeout(() => socket.destroy(silent(agent, patienceMs)), patienceMs);
  try {
    await connected(socket, agent.socket);
    socket.write(`${writeRequest(request)}\n`);
    for await (const line of createInterface({ input: socket })) {
      clearTimeout(silence);
      if (line !== HEARD) yield line;
    }
  } finally {
    clearTimeout(silence);
    socket.destroy();
  }
}

function left(): ConductorError {
  return new ConductorError('CANCELLED', 'What the agent was asked for goes on: minion status');
}

function connected(socket: Socket, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => {
      const message = `Cannot ask the agent at "${path}": ${messageOf(cause)}`;
      reject(new ConductorError('MASTER_UNREACHABLE', message, { cause }));
    });
  });
}

function silent({ state_directory }: AgentPlace, patienceMs: number): ConductorError {
  const pid = agentHolding(state_directory);
  const who = pid === null ? '' : ` (pid ${pid})`;
  const message = `Cannot ask the agent${who}: it has not answered for ${patienceMs / 1000} s. It has been stopped, or hangs: systemctl restart conductor-minion. What it was asked for it may still do`;
  return new ConductorError('MASTER_UNREACHABLE', message);
}
