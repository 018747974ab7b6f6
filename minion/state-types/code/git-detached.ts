import type { z } from 'zod';
import { defineState } from '../../engine/state-type.ts';
import { said } from '../lib/said.ts';
import { wholeSettled } from '../lib/settled.ts';
import { detachedSchema } from './git-schema.ts';
import { secretsInAddress } from './lib/git-remote.ts';
import { checkoutAs, needsOf, providesOf, readCheckout } from './lib/git-state.ts';
import type { CheckoutState } from './lib/git-state.ts';
import { refuseCheckout, uncertainCheckout } from './lib/git-refuses.ts';
import { moveCheckout, wantedCheckout } from './lib/git-update.ts';
import type { Place } from './lib/git-update.ts';
import type { Checkout } from './lib/git-checkout.ts';

type Args = z.infer<typeof detachedSchema>;

export const gitDetached = defineState<Args, CheckoutState>({
  name: 'git.detached',
  schema: detachedSchema,
  example: `openknesset release:
  git.detached:
    name: https://github.com/hasadna/Open-Knesset.git
    rev: v2.1
    target: /srv/projects/openknesset/code
    user: openknesset
`,
  secretsIn: ({ name }) => secretsInAddress(name),
  provides: providesOf,
  settles: ({ target, user }) => wholeSettled(target, said({ user })),
  needs: needsOf,
  read: (args, host) => readCheckout(checkoutOf(args), host),
  want: (args, host) => wantedCheckout(checkoutOf(args), placeOf(args), host),
  refuses: (change, args, host) => refuseCheckout(change, checkoutOf(args), placeOf(args), host),
  uncertain: (args, change, host) =>
    uncertainCheckout(change, checkoutOf(args), placeOf(args), host),
  apply: (change, args, host) => moveCheckout(change, checkoutOf(args), placeOf(args), host),
});

function checkoutOf(args: Args): Checkout {
  const checkout = checkoutAs(args);
  return args.hard_reset ? { ...checkout, force_reset: true } : checkout;
}

function placeOf({ rev, fetch_remote: asks, force_clone }: Args): Place {
  return { rev, branch: null, force_clone, asks };
}
