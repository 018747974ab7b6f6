import { request, STATUS_CODES, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { type JobEvent, jobEventSchema } from '../../protocol/messages.ts';
import { ConductorError, ERRORS, type ErrorCode, systemCode } from '../../shared/errors.ts';
import { errorAnswer } from '../api/answers.ts';

/** The daemon, through its socket. Its refusals are thrown here as they were there. */
export interface Client {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T>;
  delete(path: string): Promise<void>;
  /** Every event as it comes. */
  events(method: 'GET' | 'POST', path: string, how: Listening): AsyncIterable<JobEvent>;
}

export interface Listening {
  readonly body?: unknown;
  /** Ends it: what was begun goes on. */
  readonly signal: AbortSignal;
}

/** A daemon that takes a connection and then says nothing is stopped, or out of file descriptors. */
const PATIENCE_MS = 60_000;

export function createClient(socket: string, patienceMs = PATIENCE_MS): Client {
  const daemon = { socket, patienceMs };
  return {
    get: async (path, schema) =>
      schema.parse(await json(await ask(daemon, { method: 'GET', path }))),
    post: async (path, body, schema) =>
      schema.parse(await json(await ask(daemon, { method: 'POST', path, body }))),
    delete: async (path) => {
      await json(await ask(daemon, { method: 'DELETE', path }));
    },
    events: (method, path, how) => events(daemon, { method, path, ...how }),
  };
}

interface Daemon {
  readonly socket: string;
  /** How long it may say nothing at all before the head of its answer. */
  readonly patienceMs: number;
}

async function* events(
  daemon: Daemon,
  { method, path, body, signal }: Asked & Listening,
): AsyncIterable<JobEvent> {
  const answer = await ask(daemon, { method, path, body, signal });
  const leave = () => answer.destroy(gone());
  signal.addEventListener('abort', leave);
  let isDone = false;
  try {
    for await (const line of createInterface({ input: answer, crlfDelay: Infinity })) {
      const event = jobEventSchema.parse(JSON.parse(line));
      isDone = event.event === 'done';
      yield event;
    }
  } catch (error) {
    if (systemCode(error) === 'ECONNRESET') throw gone(error);
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    answer.destroy();
  }
  if (!isDone) throw gone();
}

function gone(cause?: unknown): ConductorError {
  const message = 'Cannot follow the job: the master has gone';
  return new ConductorError('MASTER_UNREACHABLE', message, { cause });
}

interface Asked extends Partial<Listening> {
  readonly method: string;
  readonly path: string;
}

/** The answer once its head is there; throws what the master refused. */
async function ask(
  { socket, patienceMs }: Daemon,
  { method, path, body, signal }: Asked,
): Promise<IncomingMessage> {
  const text = body === undefined ? null : JSON.stringify(body);
  const headers = text === null ? {} : { 'content-type': 'application/json' };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request({ socketPath: socket, method, path, headers, signal }, resolve);
    const silence = setTimeout(() => asking.destroy(silent(patienceMs)), patienceMs);
    asking.once('response', () => clearTimeout(silence));
    asking.once('close', () => clearTimeout(silence));
    asking.once('error', (error) => reject(unreachable(socket, error)));
    asking.end(text ?? undefined);
  });
  if ((answer.statusCode ?? 500) < 400) return answer;
  throw await refusalIn(answer);
}

async function json(answer: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of answer) if (Buffer.isBuffer(part)) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

/** What the daemon itself refuses says so in its own words; what its server does not even hand on, by a number. */
async function refusalIn(answer: IncomingMessage): Promise<Error> {
  const status = answer.statusCode ?? 500;
  const told = errorAnswer.safeParse(await json(answer).catch(() => null));
  const { code, message, details } = told.data ?? {};
  if (code !== undefined && isErrorCode(code))
    return new ConductorError(code, message ?? code, details);
  const why = message ?? `the master answers ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return status < 500
    ? new ConductorError('USAGE', `Cannot ask the master for this: ${why}`)
    : new Error(why);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function silent(patienceMs: number): Error {
  return new Error(
    `it has not answered for ${patienceMs / 1000} s; what was asked for may be done all the same`,
  );
}

const NOT_RUNNING =
  'nothing listens there; is "master serve" running? (systemctl status conductor-master)';

const REASONS = new Map([
  ['ENOENT', NOT_RUNNING],
  ['ECONNREFUSED', NOT_RUNNING],
  ['EACCES', 'this user may not; root and the group of the master may'],
]);

function unreachable(socket: string, cause: Error): ConductorError {
  const reason = REASONS.get(systemCode(cause) ?? '') ?? cause.message;
  const message = `Cannot reach the master at "${socket}": ${reason}`;
  return new ConductorError('MASTER_UNREACHABLE', message, { cause });
}
