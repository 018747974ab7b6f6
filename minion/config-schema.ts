import * as z from 'zod/mini';
import { minionIdSchema } from '../protocol/identifiers.ts';
import { LOG_LEVELS } from '../shared/log.ts';

const absolutePath = z
  .string()
  .check(z.refine((path) => path.startsWith('/'), 'expected an absolute path'));

const EXPECTED_MASTER = 'expected "host:port", "ws://host:port" or "wss://host:port"';

const masterUrl = z
  .string()
  .check(
    z.regex(/^(?:wss?:\/\/)?(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/u, EXPECTED_MASTER),
  );

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90s`, `30m`, `24h`, `1d`, or a number of seconds; gives seconds. */
export const durationSchema = z.union(
  [
    z.int().check(z.positive()),
    z.pipe(
      z.string().check(z.regex(/^[1-9]\d{0,6}[smhd]$/u)),
      z.transform((text): number => {
        const unit = text.slice(-1);
        return Number(text.slice(0, -1)) * (isUnit(unit) ? UNITS[unit] : 1);
      }),
    ),
  ],
  'expected a duration such as "30m" or "24h"',
);

function isUnit(text: string): text is keyof typeof UNITS {
  return Object.hasOwn(UNITS, text);
}

const refreshSchema = z.strictObject({
  /** How often by itself; `never` leaves it to jobs. */
  every: z._default(
    z.union([z.literal('never'), durationSchema], 'expected a duration such as "24h", or "never"'),
    86_400,
  ),
  /** Once a day, from this local time on, in place of `every`. */
  at: z._default(
    z.nullable(
      z.string().check(z.regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/u, 'expected a time such as "02:30"')),
    ),
    null,
  ),
  /** The window after `at` in which each minion has a moment of its own. */
  splay: z._default(durationSchema, 3600),
});

export type RefreshConfig = z.infer<typeof refreshSchema>;

/** /etc/conductor/minion.yaml. */
export const minionConfigSchema = z.strictObject({
  /** One or several, tried in turn; what the join string said if absent. */
  master: z._default(
    z.pipe(
      z.union([masterUrl, z.array(masterUrl)], EXPECTED_MASTER),
      z.transform((urls): readonly string[] => (typeof urls === 'string' ? [urls] : urls)),
    ),
    [],
  ),
  /** The host's name if absent. */
  id: z.optional(minionIdSchema),
  state_directory: z._default(absolutePath, '/var/lib/conductor/minion'),
  socket: z._default(absolutePath, '/run/conductor/minion.sock'),
  refresh: z._default(refreshSchema, { every: 86_400, at: null, splay: 3600 }),
  /** The oldest version of the handshake to speak. */
  min_version: z._default(z.int().check(z.positive()), 1),
  /** For labs: takes the first master's root key for the right one. */
  trust_on_first_use: z._default(z.boolean(), false),
  /** PEM file with the authority of a `wss://` master's certificate; the system's if absent. */
  tls_ca: z.optional(absolutePath),
  log_level: z._default(z.enum(LOG_LEVELS), 'info'),
});

export type MinionConfig = z.infer<typeof minionConfigSchema>;
