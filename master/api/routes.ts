import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { ConductorError } from '../../shared/errors.ts';
import { demand, type Caller, type Permission } from '../gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission;
  }
}

export interface Asked<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** From the path, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Ends when the caller has gone. */
  readonly signal: AbortSignal;
  readonly reply: FastifyReply;
}

export interface RouteSpec<Body, Query> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly permission: Permission;
  readonly body?: z.ZodType<Body>;
  readonly query?: z.ZodType<Query>;
  readonly handle: (asked: Asked<Body, Query>) => unknown;
}

const nothing = z.strictObject({});
const parametersSchema = z.record(z.string(), z.string());

/** Registers one route behind the gate, with closed schemas for what it takes. */
export function addRoute<Body, Query>(
  app: FastifyInstance,
  caller: Caller,
  { method, url, permission, body, query, handle }: RouteSpec<Body, Query>,
): void {
  app.route({
    method,
    url,
    config: { permission },
    handler: async (request, reply) => {
      demand(caller, permission);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return handle({
        body: parse(body, request.body),
        query: parse(query, request.query),
        parameters: parametersSchema.parse(request.params),
        signal: gone.signal,
        reply,
      });
    },
  });
}

/** What is not asked for must not be given. */
function parse<T>(schema: z.ZodType<T> | undefined, value: unknown): T;
function parse(schema: z.ZodType = nothing, value: unknown): unknown {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  throw new ConductorError('USAGE', `Cannot do this: ${problemsOf(result.error)}`);
}

function problemsOf({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => `${path.join('.')}: ${message}`.replace(/^: /u, ''))
    .join('; ');
}
