import type { Settled } from '../../../../shared/surroundings.ts';
import { gone, there } from '../../lib/settled.ts';
import type { AuthorizedKey } from './authorized-keys.ts';
import { showFingerprint } from './known-hosts.ts';

interface Place {
  readonly user: string;
  readonly config: string;
}

/** What is asked for of each of some keys. */
type Told = (key: AuthorizedKey) => {
  readonly options?: readonly string[];
  readonly comment?: string;
};

export function keysThere(keys: readonly AuthorizedKey[], told: Told, place: Place): Settled {
  const each = keys.map((key) => {
    const { options, comment } = told(key);
    return there(nameOf(key, place), { options: options?.join(','), comment });
  });
  return Object.assign({}, ...each);
}

export function keysGone(keys: readonly AuthorizedKey[], place: Place): Settled {
  return gone(keys.map((key) => nameOf(key, place)));
}

function nameOf({ key }: AuthorizedKey, { user, config }: Place): string {
  return `SSH key:${showFingerprint(key)} of ${user} in ${config}`;
}
