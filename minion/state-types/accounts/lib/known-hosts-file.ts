import { posix } from 'node:path';
import type { Host, HostView } from '../../../host/host.ts';
import { keyFile, needKeyOwner, neededKeyFile, writeKeyLines } from './authorized-keys.ts';

/** Whose file of known hosts it is. */
export interface KnownHostsArgs {
  readonly user?: string;
  readonly config?: string;
}

const OF_ALL = '/etc/ssh/ssh_known_hosts';
const OF_USER = '.ssh/known_hosts';

/** Where it is: a user's own, or that of all users; `null` if there is no such user. */
export async function knownHostsFile(
  { user, config }: KnownHostsArgs,
  host: HostView,
): Promise<string | null> {
  return user === undefined ? ofAll(config) : keyFile({ user, config: config ?? OF_USER }, host);
}

function ofAll(config = OF_ALL): string {
  return posix.resolve('/etc/ssh', config);
}

/** Throws STATE_REFUSED if it is that of a user who is not there. */
export async function needKnownHostsOwner({ user }: KnownHostsArgs, host: HostView): Promise<void> {
  if (user !== undefined) await needKeyOwner(user, host);
}

/** Writes it: a user's for that user alone, that of all users for all to read. */
export async function writeKnownHosts(
  args: KnownHostsArgs,
  lines: readonly string[],
  host: Host,
): Promise<void> {
  const { user, config } = args;
  if (user !== undefined) {
    const path = await neededKeyFile({ user, config: config ?? OF_USER }, host);
    return writeKeyLines(user, path, lines, host);
  }
  const text = lines.map((line) => `${line}\n`).join('');
  await host.writeFile(ofAll(config), Buffer.from(text, 'latin1'), {
    user: 'root',
    group: 'root',
    mode: '0644',
  });
}
