import { posix } from 'node:path';
import type { Argv, CommandOptions } from '../../../host/host.ts';
import { isTreeFile } from '../../../../shared/tree-file.ts';
import { onHost, textOf } from './pip-fields.ts';
import type { PipArgs } from './pip-fields.ts';

/**
 * A command of pip. Addresses that may hold credentials reach it as a configuration file, and requirements of the tree
 * as requirement files, that are never on a disk: they go in on standard input and live in the memory of pip itself.
 */
export function pipCommand(
  python: string,
  words: readonly string[],
  args: PipArgs,
): { argv: Argv; options: CommandOptions } {
  const settings = settingsOf(args);
  const isInstall = words[0] === 'install';
  const requirements = isInstall ? (args.requirements ?? []).filter(isTreeFile).map(textOf) : [];
  const options = optionsFor(args);
  if (settings === null && requirements.length === 0)
    return { argv: [python, '-B', '-m', 'pip', ...words], options };
  const argv: Argv = [python, '-B', '-c', WITH_FILES, ...words];
  return { argv, options: { ...options, input: JSON.stringify({ settings, requirements }) } };
}

const WITH_FILES = `import json, os, runpy, sys
given = json.load(sys.stdin)
def held(name, text):
    fd = os.memfd_create(name)
    with open(fd, "w", encoding="utf-8", closefd=False) as file:
        file.write(text)
    return "/proc/%d/fd/%d" % (os.getpid(), fd)
if given["settings"] is not None:
    os.environ["PIP_CONFIG_FILE"] = held("pip.conf", given["settings"])
files = ["--requirement=" + held("requirements", text) for text in given["requirements"]]
sys.argv = ["pip", sys.argv[1], *files, *sys.argv[2:]]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;

/** Where pip and whoever looks for it run, and as whom. */
export function optionsFor({ user, cwd, requirements, env_vars }: PipArgs): CommandOptions {
  const [first] = onHost(requirements);
  const where = cwd ?? (first === undefined ? '/' : posix.dirname(first));
  const env = { ...env_vars, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  return { cwd: where, env, ...(user === undefined ? {} : { user }) };
}

/** What to install and how, as flags. */
export function flagsOf(args: PipArgs): string[] {
  return [
    ...onHost(args.requirements).map((path) => `--requirement=${path}`),
    ...(args.constraints ?? []).map((path) => `--constraint=${path}`),
    ...placesOf(args),
    ...(args.no_deps ? ['--no-deps'] : []),
    ...(args.ignore_installed ? ['--ignore-installed'] : []),
    ...(args.force_reinstall ? ['--force-reinstall'] : []),
    ...(args.no_binary ?? []).map((name) => `--no-binary=${name}`),
    ...(args.extra_args ?? []),
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
