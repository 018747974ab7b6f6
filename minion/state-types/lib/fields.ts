import { posix } from 'node:path';
import { z } from 'zod';

/** Parts of schemas that several state types share. Each canonicalizes, so that equal things compare equal. */

/** Of what everybody on a host can see: the path of a file, whose it is, what something is called. No secret may be in it. */
export const PLAIN = { isPlain: true } as const;

/** Of a `name` that is no mere name: what it says is kept from others, so a secret may be in it. */
export const MAY_HOLD_SECRET = { mayHoldSecret: true } as const;

/** A path on the host, without `.`, `..`, doubled and trailing slashes. */
export const absolutePath = z
  .string()
  .regex(/^\/[^\0\n]*$/u, { error: 'expected a path from the root, such as /srv/logs' })
  .transform((path) => stripSlash(posix.normalize(path)))
  .meta(PLAIN);

function stripSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Permission bits. A bare number means its digits: 644, 0644, 0o644 and "0644" are the same mode. */
export const fileMode = z
  .union([z.int().nonnegative(), z.string()])
  .transform((mode) => String(mode).replace(/^0o(?=[0-7])/iu, '0'))
  .refine((digits) => /^0?[0-7]{3,4}$/u.test(digits), {
    error: 'expected the octal digits of a file mode, such as 0644',
  })
  .transform((digits) => digits.slice(-4).padStart(4, '0'))
  .meta(PLAIN);

/** The name of an account or group. */
export const accountName = z
  .string()
  .regex(/^[a-z_][a-z0-9_.-]{0,30}[a-z0-9_.$-]?$/iu, { error: 'expected the name of an account' })
  .meta(PLAIN);

/** An account or group, by its name or its number; as text. */
export const accountReference = z
  .union([z.int().nonnegative(), accountName])
  .transform(String)
  .meta(PLAIN);

/** Names without repetition, in order. */
export const accountNames = z
  .array(accountName)
  .transform((names) => [...new Set(names)].toSorted())
  .meta(PLAIN);

/** A text that fits on one line. */
export const singleLine = z.string().regex(/^[^\0\r\n]*$/u, { error: 'expected a single line' });

/** Environment variables, as a mapping or as Salt's list of mappings. */
const variable = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const variables = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, { error: 'expected the name of a variable' }),
  variable,
);
export const environment = z
  .union([
    variables,
    z
      .array(variables)
      .transform((parts) => Object.fromEntries(parts.flatMap(Object.entries<string>))),
  ])
  .pipe(z.record(z.string(), z.string()));

/** A TCP port; a number that an expression gave as text is fine. */
export const tcpPort = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,5}$/u)
      .transform(Number),
  ])
  .refine((port) => port >= 1 && port <= 65_535, { error: 'expected a port from 1 to 65535' });

/** A time in seconds; fractions are fine. */
export const seconds = z.number().nonnegative().max(86_400);

/** Of an argument that reaches the arguments of a process, or the environment that it is started with: no secret may. */
export const EXPOSED = { isExposed: true } as const;

/** An argument that other systems have and that makes no sense here, unless it is `false`: refused, and told why. */
export function refusedArgument(why: string) {
  return z
    .unknown()
    .refine((given) => given === false, { error: `is not taken: ${why}` })
    .exactOptional()
    .describe(`Not taken: ${why}`)
    .meta({ isRefused: true });
}

/** An argument that other systems have, that may say what it likes, and that changes nothing here. */
export function idleArgument(why: string) {
  return z
    .union([z.boolean(), z.int(), z.string()])
    .exactOptional()
    .describe(`Salt's; it changes nothing here: ${why}`)
    .meta({ doNotSuggest: true });
}
