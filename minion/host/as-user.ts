import { homedir, userInfo } from 'node:os';
import { ConductorError } from '../../shared/errors.ts';
import type { Account, Argv, CommandOptions } from './host.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Node's pipes are sockets, by which bash takes itself for a remote login and reads `~/.bashrc`,
 * unless it is told that it is not the outermost shell.
 */
const SHLVL = '1';

export interface Command {
  readonly argv: Argv;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What to start so that a program runs as a user (`null`: as we do), with that user's groups, home
 * and names and nothing else of our own environment.
 */
export function commandFor(
  argv: Argv,
  account: Account | null,
  env: CommandOptions['env'],
): Command {
  const { home, name } = account ?? { home: homedir(), name: userInfo().username };
  const isUs = account === null || account.uid === process.geteuid?.();
  const own = { PATH, LANG: 'C.UTF-8', HOME: home, USER: name, LOGNAME: name, SHLVL };
  if (isUs) return { argv, env: { ...own, ...env } };
  return { argv: asUser(withEnvironment(argv, env), account), env: own };
}

/**
 * What is said of the environment is set as the user: until then root runs, and neither PATH nor LD_PRELOAD are to lead
 * it to what that user has written.
 */
function withEnvironment(argv: Argv, env: CommandOptions['env'] = {}): Argv {
  const [program] = argv;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (variables.length === 0) return argv;
  const command: Argv = program.includes('=') ? ['/bin/sh', '-c', 'exec "$0" "$@"', ...argv] : argv;
  return ['/usr/bin/env', ...variables, ...command];
}

/** The same program under a umask of its own; ours is left alone. */
export function withUmask(argv: Argv, umask: string | undefined): Argv {
  return umask === undefined ? argv : ['/bin/sh', '-c', 'umask "$0" && exec "$@"', umask, ...argv];
}

/** Throws COMMAND_FAILED if there is no such user. */
export function accountFor(
  [program]: Argv,
  user: string,
  accounts: ReadonlyMap<string, Account>,
): Account {
  const account = accounts.get(user);
  if (account !== undefined) return account;
  const message = `Cannot run "${program}" as "${user}": there is no such user`;
  throw new ConductorError('COMMAND_FAILED', message);
}

/** `--init-groups` looks the groups up for the user that `--reuid` names. */
function asUser(argv: Argv, { name, gid }: Account): Argv {
  return [
    '/usr/bin/setpriv',
    '--reuid',
    name,
    '--regid',
    String(gid),
    '--init-groups',
    '--',
    ...argv,
  ];
}
