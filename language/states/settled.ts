import { SECRET } from '../../shared/surroundings.ts';
import type { Settled } from '../../shared/surroundings.ts';
import type { StateSchemas } from '../state-schema.ts';
import type { Checked } from './declare.ts';

/** What a state decides, and into which files a secret goes by it. */
export function settledOf(
  { draft, args, holdsSecret }: Pick<Checked, 'draft' | 'args' | 'holdsSecret'>,
  states: StateSchemas,
): Settled {
  const type = states.get(draft.type);
  const settled = type?.settles?.(args) ?? {};
  if (!holdsSecret || type?.writes === undefined) return settled;
  const secrets = type.writes(args).map((file) => {
    const path = `path:${file}`;
    return [path, { ...settled[path], [SECRET]: 'yes' }] as const;
  });
  return { ...settled, ...Object.fromEntries(secrets) };
}
