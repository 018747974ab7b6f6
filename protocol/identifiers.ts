import * as z from 'zod/mini';

/** A minion's id: a name, never a path. */
export const minionIdSchema = z.string().check(
  z.regex(
    /^[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?$/u,
    'is not a minion id (a-z, 0-9, ".", "_", "-")',
  ),
  z.refine((id) => !id.includes('..'), 'must not contain ".."'),
);

export const sha256Schema = z.string().check(z.regex(/^[0-9a-f]{64}$/u, 'is not a SHA-256 in hex'));

/** A number of things. */
export const countSchema = z.int().check(z.nonnegative());
