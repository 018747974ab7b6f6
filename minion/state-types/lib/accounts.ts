import { ConductorError } from '../../../shared/errors.ts';
import type { Account, Host, HostView } from '../../host/host.ts';

const NUMBER = /^\d+$/u;

/** Says that accounts, groups and passwords are to be read again. */
export function accountsChanged(host: Host): void {
  for (const topic of ['accounts', 'groups', 'shadow']) host.changed(topic);
}

/** The login name behind a name or number; a number that no account has stays as it is. */
export async function loginOf(reference: string, host: HostView): Promise<string> {
  if (!NUMBER.test(reference)) return reference;
  const accounts = await host.accounts();
  const found = [...accounts.values()].find(({ uid }) => uid === Number(reference));
  return found?.name ?? reference;
}

/** The group's name behind a name or number; a number that no group has stays as it is. */
export async function groupNameOf(reference: string, host: HostView): Promise<string> {
  if (!NUMBER.test(reference)) return reference;
  const groups = await host.groups();
  const found = [...groups.values()].find(({ gid }) => gid === Number(reference));
  return found?.name ?? reference;
}

/** The numeric id of an account given by name or number; `null` if there is none yet. */
export async function uidOf(reference: string, host: HostView): Promise<number | null> {
  if (NUMBER.test(reference)) return Number(reference);
  return (await host.accounts()).get(reference)?.uid ?? null;
}

/** The numeric id of a group given by name or number; `null` if there is none yet. */
export async function gidOf(reference: string, host: HostView): Promise<number | null> {
  if (NUMBER.test(reference)) return Number(reference);
  return (await host.groups()).get(reference)?.gid ?? null;
}

/** An account that something cannot be done without. Throws STATE_REFUSED with these words if there is none. */
export async function needUser(user: string, cannot: string, host: HostView): Promise<Account> {
  const account = (await host.accounts()).get(user);
  if (account !== undefined) return account;
  const message = `${cannot}: there is no such user`;
  throw new ConductorError('STATE_REFUSED', message, { lacks: [`user:${user}`] });
}
