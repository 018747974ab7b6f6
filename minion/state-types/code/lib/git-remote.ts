import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, CommandOptions, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { said } from '../../lib/said.ts';

const NETWORK_TIMEOUT_MS = 1_800_000;
const SHA = /^[0-9a-f]{40}$/u;

export interface Remote {
  readonly name: string;
  readonly user?: string;
  /** The text of a private key, or the path of one. */
  readonly identity?: string;
  readonly https_user?: string;
  readonly https_pass?: string;
  readonly host_keys: 'accept-new' | 'strict';
}

/** What a name stands for in a remote repository. */
export interface Resolved {
  readonly sha: string;
  readonly kind: 'branch' | 'tag' | 'sha';
  /** The branch or tag; `null` for a bare commit. */
  readonly name: string | null;
}

/** A command with what it needs to get at a remote: its secret goes in on standard input only. */
export interface NetworkCommand {
  readonly argv: Argv;
  readonly options: CommandOptions;
}

/** The address without a name, token or password in it (over https), as it is shown, compared and written into the checkout. */
export function withoutPassword(url: string): string {
  return partsOf(url).url;
}

/** Names that log in without a password are tokens if they are as long as tokens are. */
const SHORTEST_TOKEN = 16;

/** What in an address nobody is to see: a password, or a token in the place of a name. */
export function secretsInAddress(address: string): string[] {
  if (!/^https?:\/\//iu.test(address) || !URL.canParse(address)) return [];
  const { username, password } = new URL(address);
  const isToken = password === '' && username.length >= SHORTEST_TOKEN;
  const secret = isToken ? username : password;
  return secret === '' ? [] : [secret, decoded(secret)];
}

/** The commit that a rev names in the remote repository; `null` if no branch or tag is called so. */
export async function resolve(
  host: HostView,
  remote: Remote,
  rev: string,
): Promise<Resolved | null> {
  if (SHA.test(rev)) return { sha: rev, kind: 'sha', name: null };
  const names =
    rev === 'HEAD' ? ['HEAD'] : [`refs/heads/${rev}`, `refs/tags/${rev}`, `refs/tags/${rev}^{}`];
  const url = withoutPassword(remote.name);
  const { argv, options } = await networkCommand(host, remote, {
    git: ['ls-remote', '--symref', '--', url, ...names],
    keepHostKeys: false,
  });
  const output = await host.query(argv, { ...options, cwd: '/' });
  if (output.exitCode !== 0)
    throw failed(`ask "${url}" for "${rev}"`, ['git', 'ls-remote'], output);
  return parseLsRemote(output.stdout, rev);
}

/** What `ls-remote --symref` answered; a branch goes before a tag of the same name. */
export function parseLsRemote(text: string, rev: string): Resolved | null {
  const refs = new Map<string, string>();
  let head: string | null = null;
  for (const line of text.split('\n')) {
    const [left = '', ref] = line.split('\t');
    if (ref === undefined) continue;
    if (left.startsWith('ref: ')) head = left.slice('ref: refs/heads/'.length);
    else refs.set(ref, left);
  }
  const branch = refs.get(rev === 'HEAD' ? 'HEAD' : `refs/heads/${rev}`);
  if (branch !== undefined)
    return { sha: branch, kind: 'branch', name: rev === 'HEAD' ? head : rev };
  const tag = refs.get(`refs/tags/${rev}^{}`) ?? refs.get(`refs/tags/${rev}`);
  return tag === undefined ? null : { sha: tag, kind: 'tag', name: rev };
}

/**
 * A git command that talks to the remote. A key from the pillar is handed to an ssh-agent that
 * lives as long as the command and never touches the disk; a password in the address is handed to
 * git as a credential helper's answer.
 */
export async function networkCommand(
  host: HostView,
  remote: Remote,
  { git, keepHostKeys }: { git: readonly string[]; keepHostKeys: boolean },
): Promise<NetworkCommand> {
  const { user, identity } = remote;
  const env = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_SSH_COMMAND: await sshCommand(host, remote, { keepHostKeys }),
  };
  const options = { env, timeoutMs: NETWORK_TIMEOUT_MS, ...said({ user }) };
  if (identity !== undefined && !identity.startsWith('/')) {
    const input = `${identity.trim()}\n`;
    const listen = ['-a', `${IN_MEMORY}/conductor-agent`] as const;
    return {
      argv: ['ssh-agent', ...listen, 'sh', '-c', WITH_KEY, 'sh', ...git],
      options: { ...options, input, inMemory: IN_MEMORY },
    };
  }
  const { login, place } = partsOf(remote.name);
  const username = remote.https_user ?? login?.username;
  if (username === undefined || place === null) return { argv: ['git', ...git], options };
  const input = `${username}\n${remote.https_pass ?? login?.password ?? ''}\n`;
  return { argv: ['sh', '-c', WITH_PASSWORD, 'sh', place, ...git], options: { ...options, input } };
}

/** What is needed for as long as a command lasts is here, where nobody else sees it; every host has it. */
export const IN_MEMORY = '/run/lock';

/** Fixed texts: whatever varies comes in as "$@" or on standard input. */
const WITH_KEY = 'ssh-add -q - && exec git "$@" </dev/null';
/**
 * Git may ask more than once, and only for the host of the address: the answer is handed to a
 * helper over a pipe that never runs dry, line by line, as `read` takes no more than one.
 */
const WITH_PASSWORD =
  'IFS= read -r name; IFS= read -r word; at=$1; shift; ' +
  `{ while printf '%s\\n' "username=$name" "password=$word"; do :; done; } 2>/dev/null | ` +
  '{ exec 3<&0 </dev/null; exec git -c credential.helper= -c ' +
  `"credential.$at.helper=!f() { test \\"\\$1\\" = get || exit 0; read -r a <&3; read -r b <&3; ` +
  `printf '%s\\\\n' \\"\\$a\\" \\"\\$b\\"; }; f" "$@"; }`;

/**
 * Looking must not write: host keys learned by a look go nowhere. Keys that are known are honoured
 * either way, and one that has changed is refused.
 */
async function sshCommand(
  host: HostView,
  { user = 'root', host_keys, identity }: Remote,
  { keepHostKeys }: { keepHostKeys: boolean },
): Promise<string> {
  const checking = host_keys === 'strict' ? 'yes' : 'accept-new';
  const options = ['-oBatchMode=yes', `-oStrictHostKeyChecking=${checking}`];
  if (identity?.startsWith('/') === true) options.push('-oIdentitiesOnly=yes', `-i${identity}`);
  const account = (await host.accounts()).get(user);
  if (!keepHostKeys && account !== undefined) {
    const known = posix.join(account.home, '.ssh/known_hosts');
    options.push('-oUserKnownHostsFile=/dev/null', '-oUpdateHostKeys=no');
    options.push(`'-oGlobalKnownHostsFile=/etc/ssh/ssh_known_hosts "${known}"'`);
  }
  return ['ssh', ...options].join(' ');
}

interface Parts {
  readonly url: string;
  /** Scheme, host and port: who may get the credentials. `null` if it is no http(s) address. */
  readonly place: string | null;
  readonly login: { readonly username: string; readonly password: string } | null;
}

function partsOf(address: string): Parts {
  if (!/^https?:\/\//iu.test(address)) return { url: address, place: null, login: null };
  if (!URL.canParse(address)) {
    throw new ConductorError(
      'STATE_ARGS_INVALID',
      'Cannot use the address of a repository: it is no URL',
      { lacks: [] },
    );
  }
  const url = new URL(address);
  const { username, password, origin } = url;
  if (username === '' && password === '') return { url: address, place: origin, login: null };
  url.password = '';
  url.username = '';
  const login = {
    username: decoded(username),
    password: decoded(password),
  };
  return { url: url.href, place: origin, login };
}

/** Text of an address, which is ASCII there; a percent sign that begins no byte is one. */
function decoded(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/giu, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
