import { z } from 'zod';
import { absolutePath, accountName } from '../lib/fields.ts';

const refName = z.string().regex(/^(?!-)(?!.*\.\.)[^\s~^:?*[\\\0]{1,200}$/u, {
  error: 'expected a branch, a tag or a commit',
});

/** Arguments of `git.latest`. */
export const gitSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^(?!-)[^\s\0]+$/u, { error: 'expected the address of a repository' })
      .refine((address) => !/^https?:/iu.test(address) || URL.canParse(address), {
        error: 'expected the address of a repository',
      })
      .describe(
        'Address of the repository: https, ssh, git or a path; a password in it is kept out of the checkout',
      ),
    target: absolutePath.describe('Where the working copy is'),
    rev: refName
      .default('HEAD')
      .describe('A branch, a tag or a commit; the default branch if absent'),
    branch: refName.exactOptional().describe('Name of the local branch; that of `rev` if absent'),
    remote: refName.default('origin').describe('Name of the remote in the working copy'),
    user: accountName
      .exactOptional()
      .describe('The account that owns the working copy and runs git; root if absent'),
    identity: z
      .string()
      .regex(/PRIVATE KEY/u, { error: 'expected the text of a private key without a passphrase' })
      .exactOptional()
      .describe(
        'The private key to fetch with, from the pillar; it is held in memory only, as long as the fetch',
      )
      .meta({ secret: true }),
    host_keys: z
      .enum(['accept-new', 'strict'])
      .default('accept-new')
      .describe('What to do about an ssh server that is not known yet: `accept-new` or `strict`'),
    depth: z.int().positive().exactOptional().describe('Fetch only so many commits of the history'),
    submodules: z.boolean().default(false).describe('Also its submodules, and theirs'),
    local_changes: z
      .enum(['refuse', 'keep', 'discard'])
      .default('refuse')
      .describe(
        'What to do about files that were edited in the working copy when it has to be updated',
      ),
    force_fetch: z.boolean().default(false).describe('Take over tags that were moved'),
    force_checkout: z
      .boolean()
      .default(false)
      .describe('Overwrite edited files when changing to another branch'),
    force_reset: z
      .boolean()
      .default(false)
      .describe('Give up commits that the remote does not have'),
    force_clone: z
      .boolean()
      .default(false)
      .describe('Delete what is at the target if it is no working copy'),
  })
  .describe(
    'A working copy of a git repository at the newest commit of a branch, or at a tag or commit. What has been ' +
      'edited or committed in it by hand is never lost unless the arguments allow it; files that git does not track ' +
      'are left alone. With `local_changes: discard`, edited files are themselves a difference that is repaired.',
  );
