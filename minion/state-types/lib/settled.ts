import { createHash } from 'node:crypto';
import type { Settled } from '../../../shared/surroundings.ts';
import type { OwnerArgs } from './ownership.ts';
import { said } from './said.ts';

/** What states decide at every run: two that decide one attribute of one thing otherwise would never come to an end. */

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** That a thing is there, with the attributes that are said. */
export function there(resource: string, attributes: Attributes = {}): Settled {
  return { [resource]: { existence: 'there', ...textsOf(attributes) } };
}

/** Attributes of a thing, whoever brings it about. */
export function settled(resource: string, attributes: Attributes): Settled {
  return { [resource]: textsOf(attributes) };
}

/** That things are not there. */
export function gone(resources: readonly string[]): Settled {
  return Object.fromEntries(resources.map((resource) => [resource, { existence: 'gone' }]));
}

function textsOf(attributes: Attributes): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(said(attributes)).map(([name, value]) => [name, String(value)]),
  );
}

/** Owners by name and permissions; which name a number has is known on the host only. */
export function ownersSettled({ user, group, mode }: OwnerArgs): Attributes {
  return { owner: named(user), group: named(group), mode: mode === 'keep' ? undefined : mode };
}

function named(account: string | undefined): string | undefined {
  return account !== undefined && /^\d+$/u.test(account) ? undefined : account;
}

/** Says of an attribute that it is decided, but not by what is compared: it is that of a source, or of a link. */
export function ofItsOwn(attribute: 'owner' | 'group' | 'mode'): string {
  return `${attribute} of its own`;
}

/** The resource that stands for all that is below a directory. */
export function allBelow(name: string): string {
  return `all below:${name}`;
}

/** A directory that has an owner with all that is in it. */
export function wholeSettled(name: string, owners: OwnerArgs): Settled {
  const { owner, group } = ownersSettled(owners);
  const below = {
    'owner of files': owner,
    'owner of directories': owner,
    'group of files': group,
    'group of directories': group,
  };
  return { ...settled(`path:${name}`, { owner, group }), ...settled(allBelow(name), below) };
}

/** A file of this content, owners and permissions. */
export function fileSettled(
  path: string,
  content: Uint8Array | string,
  owners: OwnerArgs = {},
): Settled {
  const digest = createHash('sha256').update(content).digest('hex');
  return there(`path:${path}`, { kind: 'file', content: digest, ...ownersSettled(owners) });
}
