import type { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host } from '../../host/host.ts';
import { said } from '../lib/said.ts';
import { clonedSchema } from './git-schema.ts';
import { inCheckout } from './lib/git-checkout.ts';
import { checkoutAs, needsOf, providesOf, readCheckout } from './lib/git-state.ts';
import type { CheckoutState } from './lib/git-state.ts';
import { withoutPassword } from './lib/git-remote.ts';
import { moveCheckout } from './lib/git-update.ts';

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
  provides: providesOf,
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
  apply,
});

async function apply(change: Change<Cloned>, args: Args, host: Host): Promise<void> {
  const { branch = 'HEAD', force_clone, target } = args;
  if (change.action === 'remove') return;
  const checkout = checkoutAs(args);
  if (change.action === 'create') {
    const place = { rev: branch, force_clone };
    return moveCheckout({ action: 'create', to: { rev: null } }, checkout, place, host);
  }
  const { user, name } = change.to;
  if ((user ?? name) !== undefined) {
    const from = { ...NOTHING, ...change.from };
    const to = said({ user, name });
    await moveCheckout(
      { action: 'update', from, to },
      checkout,
      { rev: branch, force_clone },
      host,
    );
  }
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
