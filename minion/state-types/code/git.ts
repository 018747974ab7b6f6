import type { z } from 'zod';
import { defineState } from '../../engine/state-type.ts';
import { gitSchema } from './git-schema.ts';
import { secretsInAddress } from './lib/git-remote.ts';
import { checkoutAs, needsOf, providesOf, readCheckout } from './lib/git-state.ts';
import { said } from '../lib/said.ts';
import { wholeSettled } from '../lib/settled.ts';
import type { CheckoutState } from './lib/git-state.ts';
import { refuseCheckout, uncertainCheckout } from './lib/git-refuses.ts';
import { moveCheckout, wantedCheckout } from './lib/git-update.ts';

type Args = z.infer<typeof gitSchema>;

export const gitLatest = defineState<Args, CheckoutState>({
  name: 'git.latest',
  schema: gitSchema,
  example: `openknesset code:
  git.latest:
    name: https://github.com/hasadna/Open-Knesset.git
    rev: master
    target: /srv/projects/openknesset/code
    user: openknesset
`,
  secretsIn: ({ name }) => secretsInAddress(name),
  provides: providesOf,
  settles: ({ target, user }) => wholeSettled(target, said({ user })),
  needs: needsOf,
  read: (args, host) => readCheckout(checkoutAs(args), host),
  want: (args, host) => wantedCheckout(checkoutAs(args), args, host),
  refuses: (change, args, host) => refuseCheckout(change, checkoutAs(args), args, host),
  uncertain: (args, change, host) => uncertainCheckout(change, checkoutAs(args), args, host),
  apply: (change, args, host) => moveCheckout(change, checkoutAs(args), args, host),
});
