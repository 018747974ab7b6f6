import { z } from 'zod';
import {
  EXPOSED,
  absolutePath,
  accountName,
  environment,
  idleArgument,
  refusedArgument,
  seconds,
} from '../../lib/fields.ts';
import { isTreeFile } from '../../../../shared/tree-file.ts';
import type { TreeFile } from '../../../../shared/tree-file.ts';
import { hasNoPassword } from './addresses.ts';

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item.transform((single) => [single]), z.array(item)]);
const hostPath = z
  .string()
  .startsWith('/', {
    error: 'expected a path on the host from the root (file.managed puts a file of the tree there)',
  })
  .pipe(absolutePath);
const requirementFiles = oneOrMore(
  z.union([z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }), absolutePath], {
    error: 'expected a path on the host or a file below templates/',
  }),
);
/** Salt takes the pip of an environment for it, too. */
export const environmentOfPip = absolutePath.transform((path) =>
  path.replace(/\/bin\/(?:pip|python)[\d.]*$/u, ''),
);
export const NO_PASSWORD = {
  error: "a password in an address belongs into index_url or into the account's .netrc",
};
export const NO_REQUIREMENT =
  'is no requirement: expected a name and versions such as Django>=4.2,<5, or an address';
const VERSION = String.raw`(?:===|==|~=|!=|<=|>=|<|>)\s*[\w.*+!-]+`;
const REQUIREMENT = new RegExp(
  String.raw`^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*\(?(?:${VERSION}(?:\s*,\s*${VERSION})*)?,?\s*\)?\s*(?:;.*)?$`,
  'u',
);

/** As PEP 508 has it; what holds a slash or an @ is a path or an address, which pip reads. */
export function isRequirement(text: string): boolean {
  return /[/@]/u.test(text) || REQUIREMENT.test(text.trim());
}

const requirement = z
  .string()
  .regex(/^(?!-)[^\r\n\0]+$/u, { error: 'expected a requirement such as Django>=4.2,<5' })
  .refine(hasNoPassword, NO_PASSWORD)
  .refine(isRequirement, { error: NO_REQUIREMENT });
/** An address that may hold credentials. */
const index = z.url({ protocol: /^https?$/u });

const flagOrValue = z.string().regex(/^[^\s\0]+$/u, { error: 'expected one word' });
const extraArgument = z
  .union([
    flagOrValue,
    z
      .record(flagOrValue, z.union([flagOrValue, z.int()]))
      .refine((one) => Object.keys(one).length === 1, { error: 'expected one flag and its value' })
      .transform((one) =>
        Object.entries(one)
          .map(([name, value]) => `${name}=${value}`)
          .join(''),
      ),
  ])
  .refine(hasNoPassword, NO_PASSWORD);

/** Arguments about what to install and whence, as `virtualenv.managed` and `pip.installed` take them. */
export const pipFields = {
  requirements: requirementFiles
    .exactOptional()
    .describe(
      'Requirement files, one or a list: paths on the host or files below templates/; files that they include count too',
    ),
  constraints: oneOrMore(hostPath)
    .exactOptional()
    .describe('Constraint files on the host, one or a list'),
  user: accountName
    .exactOptional()
    .describe('The account that owns the environment and runs pip; root if absent'),
  cwd: absolutePath
    .exactOptional()
    .describe(
      'Where relative paths in requirements start; the directory of the first requirement file if absent',
    ),
  index_url: index
    .exactOptional()
    .describe('The package index to use; credentials in it never stand in a command line')
    .meta({ secret: true }),
  extra_index_url: oneOrMore(index)
    .exactOptional()
    .describe('Further indexes')
    .meta({ secret: true }),
  find_links: oneOrMore(
    z
      .string()
      .regex(/^(?!-)[^\s\0]+$/u)
      .refine(hasNoPassword, NO_PASSWORD),
  )
    .exactOptional()
    .describe('Directories or pages that hold packages')
    .meta(EXPOSED),
  no_index: z.boolean().default(false).describe('Use `find_links` only'),
  no_deps: z.boolean().default(false).describe('Leave out what the packages themselves require'),
  pre_releases: z.boolean().default(false).describe('Also accept pre-releases'),
  force_reinstall: z
    .boolean()
    .default(false)
    .describe('Whenever something is installed, install anew what is there already'),
  ignore_installed: z
    .boolean()
    .default(false)
    .describe('Whenever something is installed, install over what is there without taking it away'),
  extra_args: oneOrMore(extraArgument)
    .exactOptional()
    .describe('Further flags of `pip install`, such as --use-pep517 or {--config-settings: a=b}')
    .meta(EXPOSED),
  no_binary: oneOrMore(z.string().regex(/^(?!-)[\w.:,-]+$/u))
    .exactOptional()
    .describe('Packages to build from source, or `:all:`')
    .meta(EXPOSED),
  no_cache_dir: z.boolean().default(false).describe('Keep no cache of what is downloaded'),
  trusted_host: oneOrMore(z.string().regex(/^(?!-)[\w.:-]+$/u))
    .exactOptional()
    .describe('Hosts that may do without a valid certificate')
    .meta(EXPOSED),
  proxy: z
    .string()
    .regex(/^[^\s\0]+$/u)
    .exactOptional()
    .describe('The proxy to download through; credentials in it never stand in a command line')
    .meta({ secret: true }),
  cert: absolutePath
    .exactOptional()
    .describe('A file of certificates to trust instead of the usual'),
  timeout: seconds.exactOptional().describe('Seconds to wait for an index to answer'),
  env_vars: environment.exactOptional().describe('Environment for pip').meta(EXPOSED),
  use_wheel: idleArgument('pip takes wheels where there are any; see `no_binary`'),
  no_use_wheel: refusedArgument('say `no_binary`'),
  use_vt: idleArgument('there is no terminal'),
  process_dependency_links: idleArgument('pip has none any more'),
};

/** Those requirement files that are on the host. */
export function onHost(requirements: PipArgs['requirements'] = []): readonly string[] {
  return requirements.filter((file) => typeof file === 'string');
}

export function textOf(file: TreeFile): string {
  return Buffer.from(file.read()).toString();
}

export const packagesField = oneOrMore(requirement);

export interface PipArgs {
  readonly requirements?: readonly (string | TreeFile)[];
  readonly constraints?: readonly string[];
  readonly user?: string;
  readonly cwd?: string;
  readonly index_url?: string;
  readonly extra_index_url?: readonly string[];
  readonly find_links?: readonly string[];
  readonly no_index: boolean;
  readonly no_deps: boolean;
  readonly pre_releases: boolean;
  readonly force_reinstall: boolean;
  readonly ignore_installed: boolean;
  readonly extra_args?: readonly string[];
  readonly no_binary?: readonly string[];
  readonly no_cache_dir: boolean;
  readonly trusted_host?: readonly string[];
  readonly proxy?: string;
  readonly cert?: string;
  readonly timeout?: number;
  readonly env_vars?: Readonly<Record<string, string>>;
}
