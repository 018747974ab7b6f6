import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView, HttpOptions } from '../../host/host.ts';
import { withoutUser } from '../lib/download.ts';
import { MAY_HOLD_SECRET, singleLine, tcpPort } from '../lib/fields.ts';
import { patience, waitUntil } from './lib/wait.ts';

/** Whether a port takes connections. */
export type PortState = { open: boolean };

/** What a URL answers. */
export type HttpState = { ok: boolean; saw: string };

const PROBE_MS = 3000;

const portSchema = z
  .strictObject({
    name: singleLine.min(1).describe('A title'),
    port: tcpPort.describe('The TCP port'),
    host: z.string().min(1).default('127.0.0.1').describe('Where the port is'),
    ...patience,
  })
  .describe('Waits until something accepts connections on a TCP port.');

const httpSchema = z
  .strictObject({
    name: z.string().min(1).describe('The URL, unless `url` gives it').meta(MAY_HOLD_SECRET),
    url: z
      .url({ protocol: /^https?$/u })
      .exactOptional()
      .describe('The URL'),
    status: z
      .union([z.int(), z.array(z.int()).min(1)])
      .default(200)
      .describe('The status that the answer must have, or several that will do'),
    contains: z.string().min(1).exactOptional().describe('A text that must stand in the answer'),
    headers: z.record(z.string(), z.string()).exactOptional().describe('Headers of the request'),
    address: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Connect here in place of where the name in the URL leads, such as 127.0.0.1'),
    ...patience,
  })
  .refine(({ name, url }) => url !== undefined || /^https?:\/\/\S+$/u.test(name), {
    error: 'expected a URL such as http://127.0.0.1:8000/',
    path: ['name'],
  })
  .describe(
    'Waits until a URL answers with this status and, if given, this text. Follows no redirect.',
  );

type PortArgs = z.infer<typeof portSchema>;
type HttpArgs = z.infer<typeof httpSchema>;

async function readPort(args: PortArgs, host: HostView): Promise<PortState> {
  return { open: await host.canConnect(args.host, args.port, PROBE_MS) };
}

async function readHttp(args: HttpArgs, host: HostView): Promise<HttpState> {
  const { url = args.name, status, contains } = args;
  const answer = await host.httpGet(url, optionsOf(args));
  if (answer === null) return { ok: false, saw: 'no answer' };
  const isStatus = [status].flat().includes(answer.status);
  const body = Buffer.from(answer.body).toString('utf8');
  const isText = contains === undefined || body.includes(contains);
  const without = isText ? '' : ' without the text';
  return { ok: isStatus && isText, saw: `status ${answer.status}${isStatus ? without : ''}` };
}

function optionsOf({ headers, address }: HttpArgs): HttpOptions {
  return {
    timeoutMs: PROBE_MS * 2,
    ...(headers === undefined ? {} : { headers }),
    ...(address === undefined ? {} : { address }),
  };
}

async function applyPort(args: PortArgs, host: Host): Promise<void> {
  const isOpen = await waitUntil(async () => (await readPort(args, host)).open, args, host);
  if (isOpen) return;
  throw new ConductorError(
    'COMMAND_TIMEOUT',
    `Cannot wait for port ${args.port} of "${args.host}" any longer: nothing accepts connections after ${args.timeout} s`,
  );
}

async function applyHttp(args: HttpArgs, host: Host): Promise<void> {
  let seen = '';
  const look = async () => {
    const { ok, saw } = await readHttp(args, host);
    seen = saw;
    return ok;
  };
  if (await waitUntil(look, args, host)) return;
  throw new ConductorError(
    'COMMAND_TIMEOUT',
    `Cannot wait for "${withoutUser(args.url ?? args.name)}" any longer: after ${args.timeout} s it last gave ${seen}`,
  );
}

export const waitPort = defineState({
  name: 'wait.port',
  schema: portSchema,
  example: `the database takes connections:
  wait.port:
    port: 5432
    timeout: 30
`,
  awaits: true,
  read: readPort,
  want: (): Partial<PortState> => ({ open: true }),
  apply: (_change, args: PortArgs, host: Host) => applyPort(args, host),
});

export const waitHttp = defineState({
  name: 'wait.http',
  schema: httpSchema,
  example: `the site answers:
  wait.http:
    name: http://www.example.org/health
    address: 127.0.0.1
    status: 200
    contains: ok
`,
  awaits: true,
  read: readHttp,
  want: (): Partial<HttpState> => ({ ok: true }),
  apply: (_change, args: HttpArgs, host: Host) => applyHttp(args, host),
});
