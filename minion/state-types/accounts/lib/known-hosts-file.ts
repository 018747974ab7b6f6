import { posix } from 'node:path';
import type { Host, HostView } from '../../../host/host.ts';
import { keyFile, noUser, writeKeyLines } from './authorized-keys.ts';

/** Whose file of known hosts it is. */
export interface KnownHostsArgs {
  readonly user?: string;
  readonly config?: string;
}

const OF_ALL = '/etc/ssh/ssh_known_hosts';

/** Where it is: a user's own, or that of all users; `null` if there is no such user. */
export async function knownHostsFile(
  { user, config }: KnownHostsArgs,
  host: HostView,
): Promise<string | null> {
  if (user !== undefined) return keyFile({ user, config: config ?? '.ssh/known_hosts' }, host);
  return posix.resolve('/etc/ssh', config ?? OF_ALL);
}

/** Writes it: a user's for that user alone, that of all users for all to read. */
export async function writeKnownHosts(
  args: KnownHostsArgs,
  lines: readonly string[],
  host: Host,
): Promise<void> {
  const path = await knownHostsFile(args, host);
  if (path === null) throw noUser(args.user ?? '');
  if (args.user !== undefined) return writeKeyLines(args.user, path, lines, host);
  const text = lines.map((line) => `${line}\n`).join('');
  await host.writeFile(path, Buffer.from(text, 'latin1'), {
    user: 'root',
    group: 'root',
    mode: '0644',
  });
}
