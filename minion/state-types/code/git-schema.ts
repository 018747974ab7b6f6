import { z } from 'zod';
import {
  MAY_HOLD_SECRET,
  PLAIN,
  absolutePath,
  accountName,
  idleArgument,
  refusedArgument,
} from '../lib/fields.ts';

const refName = z
  .string()
  .regex(/^(?!-)(?!.*\.\.)[^\s~^:?*[\\\0]{1,200}$/u, {
    error: 'expected a branch, a tag or a commit',
  })
  .meta(PLAIN);

const identity = z.union([
  z.string().regex(/PRIVATE KEY/u, {
    error: 'expected the text of a private key without a passphrase, or the path of one',
  }),
  z.string().regex(/^\/[\w.@+/-]+$/u, {
    error: 'expected the text of a private key without a passphrase, or the path of one',
  }),
]);

/** How to get at a repository: what `git.latest`, `git.cloned` and `git.detached` share. */
const remoteFields = {
  name: z
    .string()
    .regex(/^(?!-)[^\s\0]+$/u, { error: 'expected the address of a repository' })
    .refine((address) => !/^https?:/iu.test(address) || URL.canParse(address), {
      error: 'expected the address of a repository',
    })
    .describe(
      'Address of the repository: https, ssh, git or a path; a name, token or password in an https address is kept out of the checkout, and password and token out of all that is shown',
    )
    .meta(MAY_HOLD_SECRET),
  target: absolutePath.describe('Where the working copy is'),
  remote: refName.default('origin').describe('Name of the remote in the working copy'),
  user: accountName
    .exactOptional()
    .describe(
      'The account that owns the working copy and runs git; root if absent, which takes over none of others',
    ),
  identity: identity
    .exactOptional()
    .describe(
      'The private key to fetch with: its text from the pillar, held in memory only, as long as the fetch; or the path of one on the host',
    )
    .meta({ secret: true }),
  https_user: z
    .string()
    .regex(/^[^\0\r\n]+$/u)
    .exactOptional()
    .describe('The name to log in with over https, if it does not stand in the address'),
  https_pass: z
    .string()
    .regex(/^[^\0\r\n]+$/u)
    .exactOptional()
    .describe(
      'The password or token to log in with over https; only the host of the address gets it',
    )
    .meta({ secret: true }),
  output_encoding: idleArgument('what git prints is taken as UTF-8'),
  host_keys: z
    .enum(['accept-new', 'strict'])
    .default('accept-new')
    .describe('What to do about an ssh server that is not known yet: `accept-new` or `strict`'),
};

const submodules = z.boolean().default(false).describe('Also its submodules, and theirs');
const localChanges = z
  .enum(['refuse', 'keep', 'discard'])
  .default('refuse')
  .describe(
    'What to do about files that were edited in the working copy when it has to be updated',
  );
const forceCheckout = z
  .boolean()
  .default(false)
  .describe('Overwrite edited files when changing to another branch');
const forceClone = z
  .boolean()
  .default(false)
  .describe('Delete what is at the target if it is no working copy');

/** Arguments of `git.latest`. */
export const gitSchema = z
  .strictObject({
    ...remoteFields,
    rev: refName
      .default('HEAD')
      .describe('A branch, a tag or a commit; the default branch if absent'),
    branch: refName.exactOptional().describe('Name of the local branch; that of `rev` if absent'),
    depth: z.int().positive().exactOptional().describe('Fetch only so many commits of the history'),
    fetch_tags: z
      .boolean()
      .default(true)
      .describe('Whether a fetch brings the tags of what it fetches along'),
    submodules,
    local_changes: localChanges,
    force_fetch: z.boolean().default(false).describe('Take over tags that were moved'),
    force_checkout: forceCheckout,
    force_reset: z
      .boolean()
      .default(false)
      .describe('Give up commits that the remote does not have'),
    force_clone: forceClone,
    update_head: z
      .literal(true, { error: 'is always true: `git.cloned` leaves a working copy where it is' })
      .exactOptional()
      .describe('Always true: `git.cloned` leaves a working copy where it is')
      .meta({ doNotSuggest: true }),
    sync_tags: idleArgument('a tag that is gone from the remote does no harm'),
    bare: refusedArgument('a working copy is what this is about; a bare repository is not managed'),
    mirror: refusedArgument('a working copy is what this is about; a mirror is not managed'),
  })
  .describe(
    'A working copy of a git repository at the newest commit of a branch, or at a tag or commit. What has been ' +
      'edited or committed in it by hand is never lost unless the arguments allow it; files that git does not track ' +
      'are left alone. With `local_changes: discard`, edited files are themselves a difference that is repaired.',
  );

/** Arguments of `git.cloned`. */
export const clonedSchema = z
  .strictObject({
    ...remoteFields,
    branch: refName
      .exactOptional()
      .describe('The branch to be on, here as at the remote; the default branch if absent'),
    depth: z.int().positive().exactOptional().describe('Clone only so many commits of the history'),
    force_clone: forceClone,
  })
  .describe(
    'A repository has been cloned once. Nothing is fetched afterwards: what its branch holds is up to whoever works in ' +
      'it. `git.latest` is for a working copy that follows its remote.',
  );

/** Arguments of `git.detached`. */
export const detachedSchema = z
  .strictObject({
    ...remoteFields,
    rev: refName.describe('The commit, tag or branch to stand on'),
    depth: z.int().positive().exactOptional().describe('Fetch only so many commits of the history'),
    fetch_remote: z
      .boolean()
      .default(true)
      .describe(
        '`false` asks the remote only for the first clone, and finds `rev` in what is there',
      ),
    submodules,
    local_changes: localChanges,
    hard_reset: z
      .boolean()
      .default(false)
      .describe('Give up edited files when it has to move, as `local_changes: discard` does'),
    force_checkout: forceCheckout,
    force_clone: forceClone,
  })
  .describe(
    'A working copy that stands on a commit, a tag or the newest commit of a branch, without being on a branch itself. ' +
      'What has been edited in it by hand is never lost unless the arguments allow it.',
  );
