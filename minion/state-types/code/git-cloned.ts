import type { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { said } from '../lib/said.ts';
import { wholeSettled } from '../lib/settled.ts';
import { clonedSchema } from './git-schema.ts';
import { inCheckout, localCommit } from './lib/git-checkout.ts';
import { checkoutAs, needsOf, providesOf, readCheckout } from './lib/git-state.ts';
import type { CheckoutState } from './lib/git-state.ts';
import type { Place } from './lib/git-update.ts';
import { secretsInAddress, withoutPassword } from './lib/git-remote.ts';
import { refuseCheckout } from './lib/git-refuses.ts';
import { moveCheckout, wantedCheckout } from './lib/git-update.ts';

type Args = z.infer<typeof clonedSchema>;
type Cloned = Pick<CheckoutState, 'name' | 'user' | 'branch'>;

export const gitCloned = defineState<Args, Cloned>({
  name: 'git.cloned',
  schema: clonedSchema,
  example: `notes:
  git.cloned:
    name: https://github.com/hasadna/Open-Knesset.git
    target: /home/openknesset/notes
    user: openknesset
`,
  secretsIn: ({ name }) => secretsInAddress(name),
  provides: providesOf,
  settles: ({ target, user }) => wholeSettled(target, said({ user })),
  needs: needsOf,
  async read(args, host) {
    const found = await readCheckout(checkoutAs(args), host);
    // What a clone that was cut short has left has no commit yet: it is cloned to its end.
    if (found === null || found.rev === null) return null;
    const { name, user, branch } = found;
    return { name, user, branch };
  },
  want: ({ name, user = 'root', branch }) => ({
    name: withoutPassword(name),
    user,
    ...said({ branch }),
  }),
  refuses,
  apply,
});

async function refuses(change: Change<Cloned>, args: Args, host: HostView): Promise<void> {
  const checkout = checkoutAs(args);
  await refuseCheckout(moveOf(change), checkout, placeOf(args), host);
  // What it is to be of the remote is looked for there, as long as there is nothing here.
  if (change.action === 'create') await wantedCheckout(checkout, placeOf(args), host);
  if (change.action === 'update' && change.to.branch !== undefined)
    await needBranch(change.from.user, args, host);
}

/** What belongs to nobody cannot be looked at before it has been given to somebody. */
async function needBranch(
  user: string,
  { branch, remote, target }: Args,
  host: HostView,
): Promise<void> {
  if (!(await host.accounts()).has(user)) return;
  for (const place of ['refs/heads', `refs/remotes/${remote}`]) {
    if ((await localCommit(host, { target, user }, `${place}/${branch}`)) !== null) return;
  }
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot change "${target}" to branch "${branch}": it was not there when it was cloned, and nothing is fetched since`,
    { lacks: [] },
  );
}

/** Only what it has to do with the remote and with its owner. */
function moveOf(change: Change<Cloned>): Change<CheckoutState> {
  if (change.action === 'create') return { action: 'create', to: { rev: null } };
  const from = { ...NOTHING, ...change.from };
  if (change.action === 'remove') return { action: 'remove', from };
  const { user, name } = change.to;
  return { action: 'update', from, to: said({ user, name }) };
}

function placeOf({ branch = 'HEAD', force_clone }: Args): Place {
  return { rev: branch, force_clone };
}

async function apply(change: Change<Cloned>, args: Args, host: Host): Promise<void> {
  const { target } = args;
  const checkout = checkoutAs(args);
  await moveCheckout(moveOf(change), checkout, placeOf(args), host);
  if (change.action !== 'update') return;
  if (change.to.branch === undefined || args.branch === undefined) return;
  const argv = ['git', '-C', target, 'checkout', '--quiet', args.branch, '--'] as const;
  await host.run(argv, inCheckout(checkout));
}

const NOTHING: CheckoutState = {
  rev: null,
  branch: null,
  name: null,
  user: 'root',
  local_changes: 'none',
  submodules: false,
};
