import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView, HttpAnswer, HttpOptions } from '../../host/host.ts';
import { withoutUser } from '../lib/download.ts';
import { bounded } from '../lib/bounded.ts';
import { MAY_HOLD_SECRET, refusedArgument, seconds } from '../lib/fields.ts';
import { said } from '../lib/said.ts';

/** That the URL has answered as it should. */
type Answered = { answered: boolean };

const code = z.union([
  z.int().min(100).max(599),
  z
    .string()
    .regex(/^[1-5]\d\d$/u)
    .transform(Number),
]);

const schema = z
  .strictObject({
    name: z
      .url({ protocol: /^https?$/u })
      .describe('The URL')
      .meta(MAY_HOLD_SECRET),
    status: z
      .union([code, z.array(code).min(1)])
      .transform((codes) => [codes].flat())
      .default([200])
      .describe('The status that the answer must have, or several that will do'),
    match: z.string().min(1).exactOptional().describe('What must stand in the answer'),
    match_type: z
      .enum(['string', 'pcre'])
      .default('string')
      .describe('Whether match is a text or a regular expression'),
    method: z
      .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
      .default('GET')
      .describe('The method; all but GET and HEAD need a guard'),
    data: z.string().exactOptional().describe('The body of the request'),
    header_dict: z
      .record(z.string(), z.string())
      .exactOptional()
      .describe('Headers of the request'),
    username: z.string().min(1).exactOptional().describe('Who to log in as (Basic)'),
    password: z.string().meta({ secret: true }).exactOptional().describe('The password for that'),
    address: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Connect here in place of where the name in the URL leads, such as 127.0.0.1'),
    timeout: seconds.min(0.1).default(30).describe('Seconds that one answer may take'),
    wait_for: seconds
      .default(0)
      .describe('Seconds for which GET and HEAD are tried again until the answer fits'),
    request_interval: seconds.min(0.1).default(1).describe('Seconds between two tries'),
    always: z
      .boolean()
      .default(false)
      .describe('`true` says that it is meant to be sent every time, without a guard'),
    verify_ssl: z
      .literal(true, {
        error: 'who answers has to prove who it is; add its authority to those of the host',
      })
      .exactOptional()
      .describe('Always true: who answers has to prove who it is')
      .meta({ doNotSuggest: true }),
    decode: refusedArgument('nothing is done with the answer but to look for match'),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: 'needs "username" and "password" together',
  })
  .refine(({ method, data }) => data === undefined || isSent(method), {
    error: 'takes "data" only with POST, PUT, PATCH or DELETE',
  })
  .refine(
    ({ match, match_type: kind }) => match === undefined || kind === 'string' || isPattern(match),
    {
      error: 'needs a regular expression as "match"',
    },
  )
  .describe(
    'Asks a URL and fails unless the answer has this status and, if given, this text. GET and HEAD only look: the state ' +
      'is unchanged if the answer fits. Other methods are sent once and are a change, so they need a guard as cmd.run ' +
      'does. Follows no redirect.',
  );

type Args = z.infer<typeof schema>;

function isSent(method: string): method is 'POST' | 'PUT' | 'PATCH' | 'DELETE' {
  return method !== 'GET' && method !== 'HEAD';
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u').source !== '';
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

function optionsOf({ timeout, header_dict, username, password, address }: Args): HttpOptions {
  const login = `${username ?? ''}:${password ?? ''}`;
  const authorization =
    username === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  return {
    timeoutMs: timeout * 1000,
    headers: { ...header_dict, ...authorization },
    ...said({ address }),
  };
}

/** What is wrong with an answer; `null` if it fits. */
export function complaintAbout(
  answer: HttpAnswer | null,
  { name, status, match, match_type: kind }: Pick<Args, 'name' | 'status' | 'match' | 'match_type'>,
): string | null {
  if (answer === null) return 'nothing answers';
  if (!status.includes(answer.status)) return `the answer is status ${answer.status}`;
  const body = Buffer.from(answer.body).toString();
  const fits =
    kind === 'pcre'
      ? bounded(`look at what "${name}" answers`, () => new RegExp(match ?? '', 'u').test(body))
      : body.includes(match ?? '');
  return fits ? null : 'the answer does not hold the text';
}

async function look(args: Args, host: HostView): Promise<string | null> {
  const method = args.method === 'HEAD' ? 'HEAD' : 'GET';
  return complaintAbout(await host.httpGet(args.name, { ...optionsOf(args), method }), args);
}

async function lookUntilItFits(args: Args, host: HostView): Promise<string | null> {
  const tries = Math.max(1, Math.ceil(args.wait_for / args.request_interval));
  let complaint = await look(args, host);
  for (let done = 1; complaint !== null && args.wait_for > 0 && done <= tries; done += 1) {
    await host.sleep(args.request_interval * 1000);
    complaint = await look(args, host);
  }
  return complaint;
}

export const httpQuery = defineState({
  name: 'http.query',
  schema,
  example: `the shop is up:
  http.query:
    name: http://127.0.0.1:8000/health
    status: 200
    match: ready
    wait_for: 30
`,
  needsGuard: true,
  oneShot: true,
  goesUnguarded: ({ method }: Args) => !isSent(method),
  uncertain: ({ method }: Args) =>
    isSent(method) ? null : 'the URL does not answer as it should yet',
  async read(args: Args, host: HostView): Promise<Answered | null> {
    return { answered: !isSent(args.method) && (await look(args, host)) === null };
  },
  want: (): Partial<Answered> => ({ answered: true }),
  async apply(_change: Change<Answered>, args: Args, host: Host) {
    const { name, method, data } = args;
    const complaint = isSent(method)
      ? complaintAbout(
          await host.httpSend(name, { ...optionsOf(args), method, ...said({ body: data }) }),
          args,
        )
      : await lookUntilItFits(args, host);
    if (complaint === null) return isSent(method) ? undefined : 'unchanged';
    throw new ConductorError('CHECK_FAILED', `Cannot accept "${withoutUser(name)}": ${complaint}`);
  },
});
