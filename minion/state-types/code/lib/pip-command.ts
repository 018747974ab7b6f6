import { posix } from 'node:path';
import type { Argv, CommandOptions } from '../../../host/host.ts';
import type { PipArgs } from './pip-fields.ts';

/**
 * A command of pip. Addresses that may hold credentials reach it as a configuration file that is
 * never on a disk: it goes in on standard input and lives in the memory of pip itself.
 */
export function pipCommand(
  python: string,
  words: readonly string[],
  args: PipArgs,
): { argv: Argv; options: CommandOptions } {
  const settings = settingsOf(args);
  const options = optionsFor(args);
  if (settings === null) return { argv: [python, '-B', '-m', 'pip', ...words], options };
  const argv: Argv = [python, '-B', '-c', WITH_SETTINGS, ...words];
  return { argv, options: { ...options, input: settings } };
}

const WITH_SETTINGS = `import os, runpy, sys
fd = os.memfd_create("pip.conf")
os.write(fd, sys.stdin.buffer.read())
os.environ["PIP_CONFIG_FILE"] = "/proc/%d/fd/%d" % (os.getpid(), fd)
sys.argv = ["pip"] + sys.argv[1:]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;

/** Where pip and whoever looks for it run, and as whom. */
export function optionsFor({ user, cwd, requirements, env_vars }: PipArgs): CommandOptions {
  const [first] = requirements ?? [];
  const where = cwd ?? (first === undefined ? '/' : posix.dirname(first));
  const env = { ...env_vars, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  return { cwd: where, env, ...(user === undefined ? {} : { user }) };
}

/** What to install and how, as flags. */
export function flagsOf(args: PipArgs): string[] {
  return [
    ...(args.requirements ?? []).map((path) => `--requirement=${path}`),
    ...(args.constraints ?? []).map((path) => `--constraint=${path}`),
    ...placesOf(args),
    ...(args.no_deps ? ['--no-deps'] : []),
    ...(args.force_reinstall ? ['--force-reinstall'] : []),
    ...(args.no_binary ?? []).map((name) => `--no-binary=${name}`),
  ];
}

/** Where packages may come from. */
export function placesOf(args: PipArgs): string[] {
  return [
    ...(args.find_links ?? []).map((place) => `--find-links=${place}`),
    ...(args.no_index ? ['--no-index'] : []),
    ...(args.pre_releases ? ['--pre'] : []),
    ...(args.no_cache_dir ? ['--no-cache-dir'] : []),
    ...(args.trusted_host ?? []).map((host) => `--trusted-host=${host}`),
    ...(args.cert === undefined ? [] : [`--cert=${args.cert}`]),
    ...(args.timeout === undefined ? [] : [`--timeout=${args.timeout}`]),
  ];
}

/** What may hold credentials, as a configuration file; `null` if nothing is said of it. */
function settingsOf({ index_url, extra_index_url = [], proxy }: PipArgs): string | null {
  const lines = [
    ...(index_url === undefined ? [] : [`index-url = ${index_url}`]),
    ...(proxy === undefined ? [] : [`proxy = ${proxy}`]),
    ...(extra_index_url.length === 0 ? [] : ['extra-index-url =']),
    ...extra_index_url.map((url) => `    ${url}`),
  ];
  return lines.length === 0 ? null : `${['[global]', ...lines].join('\n')}\n`;
}
