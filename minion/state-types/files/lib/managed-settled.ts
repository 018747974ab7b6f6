import type { z } from 'zod';
import { SECRET } from '../../../../shared/surroundings.ts';
import type { Rewriting, Settled } from '../../../../shared/surroundings.ts';
import { isTreeFile } from '../../../../shared/tree-file.ts';
import { said } from '../../lib/said.ts';
import { ofItsOwn, ownersSettled, settled, there } from '../../lib/settled.ts';
import type { fileManagedSchema } from '../file-managed-schema.ts';
import { contentsOf } from './file-source.ts';
import { sha256Of } from './hashes.ts';

type Args = z.infer<typeof fileManagedSchema> & { readonly holdsSecret?: boolean };

/** What a managed file is to be; what it keeps of an older one is not decided. */
export function managedSettled(args: Args): Settled {
  const { name, replace, create, follow_symlinks: follows, user, group, mode, holdsSecret } = args;
  const attributes = {
    kind: 'file',
    // A link that is not followed is replaced.
    target: follows ? undefined : 'none',
    content: replace ? contentSettled(args) : undefined,
    [ofItsOwn('mode')]: mode === undefined && comesFromHost(args) ? 'yes' : undefined,
    [SECRET]: holdsSecret === true ? 'yes' : undefined,
    ...ownersSettled(said({ user, group, mode })),
  };
  return create ? there(`path:${name}`, attributes) : settled(`path:${name}`, attributes);
}

/** Then its mode may be that of the source. */
function comesFromHost({ source }: Args): boolean {
  const sources = Array.isArray(source) ? source : [source];
  return sources.some((one) => typeof one === 'string' && one.startsWith('/'));
}

function contentSettled(args: Args): string | undefined {
  const { source, contents = args.contents_pillar } = args;
  if (contents !== undefined) return sha256Of(contentsOf(contents, args));
  if (source === undefined) return undefined;
  if (isTreeFile(source)) return source.sha256;
  return JSON.stringify(source, (_key, value: unknown) =>
    isTreeFile(value) ? value.sha256 : value,
  );
}

/** A file of one text, if that stands in the tree: what else writes to it has to agree with that. */
export function managedRewriting(args: Args): Rewriting | null {
  const { name, replace, source, contents = args.contents_pillar } = args;
  const isHere = contents !== undefined || isTreeFile(source);
  if (!replace || !isHere) return null;
  const text = (): string =>
    Buffer.from(isTreeFile(source) ? source.read() : contentsOf(contents ?? [], args)).toString();
  return { path: name, samples: [], rewrite: text };
}
