import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { CommandOptions, Host, HostView } from '../../../host/host.ts';
import { groupNameOf, needUser } from '../../lib/accounts.ts';
import { ask } from '../../lib/ask.ts';
import { followLinks, refuseParents } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';
import { closedMode } from '../../lib/secrecy.ts';
import { edited } from './git-config-text.ts';
import type { ConfigEdit } from './git-config-text.ts';
import { clearStaleLocks } from './git-locks.ts';

/** Whose configuration it is. */
export interface Where {
  readonly repo?: string;
  readonly global: boolean;
  readonly user?: string;
  /** Nobody else is to read it. */
  readonly isClosed?: true;
}

/** Writes changed settings. A file that is there keeps its owner and mode; a new one is for the account alone. */
export async function rewrite(
  host: Host,
  args: Where,
  edits: readonly ConfigEdit[],
): Promise<void> {
  if (args.repo !== undefined) await clearStaleLocks(args.repo, host);
  const path = await fileOf(args, host);
  const owner = (await host.status(path)) ?? (await newOwner(args, host));
  const { user, group, mode } = owner;
  let text = Buffer.from((await host.readFile(path)) ?? []).toString('latin1');
  for (const edit of edits) text = await edited(text, edit, host);
  await host.writeFile(path, Buffer.from(text, 'latin1'), {
    user,
    group,
    mode: args.isClosed === true ? closedMode(mode) : mode,
  });
}

/** The mode of the file; `undefined` if there is none. */
export async function modeOf(args: Where, host: HostView): Promise<string | undefined> {
  const { repo } = args;
  if (repo !== undefined && (await host.status(repo)) === null) return undefined;
  return (await host.status(await fileOf(args, host)))?.mode;
}

async function newOwner({ user = 'root' }: Where, host: Host) {
  const { gid } = await needUser(user, CANNOT, host);
  return { user, group: await groupNameOf(String(gid), host), mode: '0600' };
}

const CANNOT = 'Cannot write the configuration of git';

/** Refuses if there is nowhere to write. */
export async function refuseFile(args: Where, host: HostView): Promise<void> {
  const { repo, user = 'root' } = args;
  if (repo !== undefined && (await host.status(repo)) === null) {
    const lacks = [`checkout:${repo}`, `path:${repo}`];
    const message = `${CANNOT}: there is no repository "${repo}"`;
    throw new ConductorError('STATE_REFUSED', message, { lacks });
  }
  await needUser(user, CANNOT, host);
  await refuseParents({ name: await fileOf(args, host), makedirs: false }, host);
}

/** The file, which a link of root's may lead to. */
async function fileOf(args: Where, host: HostView): Promise<string> {
  return followLinks(await pathOf(args, host), host);
}

/** An account's own is where git would write it. */
async function pathOf(args: Where, host: HostView): Promise<string> {
  if (args.repo !== undefined) {
    const argv = ['git', 'rev-parse', '--git-path', 'config'] as const;
    const options = await optionsFor(args, host);
    return posix.resolve(args.repo, (await ask(host, argv, 'find its file', options)).trim());
  }
  const { home } = await needUser(args.user ?? 'root', CANNOT, host);
  const [own, other] = [`${home}/.gitconfig`, `${home}/.config/git/config`];
  const isOther = (await host.status(own)) === null && (await host.status(other)) !== null;
  return isOther ? other : own;
}

/** In a repository as the one who owns it: git refuses to look into that of somebody else. */
export async function optionsFor({ repo, user }: Where, host: HostView): Promise<CommandOptions> {
  if (repo === undefined) return { cwd: '/', ...said({ user }) };
  const owner = user ?? (await host.status(repo))?.user;
  return { cwd: repo, ...said({ user: owner }) };
}
