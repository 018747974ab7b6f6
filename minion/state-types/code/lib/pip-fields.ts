import { z } from 'zod';
import { EXPOSED, absolutePath, accountName, environment, seconds } from '../../lib/fields.ts';
import { hasNoPassword } from './addresses.ts';

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item.transform((single) => [single]), z.array(item)]);
const paths = oneOrMore(
  z
    .string()
    .startsWith('/', {
      error:
        'expected a path on the host from the root (file.managed puts a file of the tree there)',
    })
    .pipe(absolutePath),
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

/** Arguments about what to install and whence, as `virtualenv.managed` and `pip.installed` take them. */
export const pipFields = {
  requirements: paths
    .exactOptional()
    .describe('Requirement files on the host, one or a list; files that they include count too'),
  constraints: paths.exactOptional().describe('Constraint files on the host, one or a list'),
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
  no_binary: oneOrMore(z.string().regex(/^(?!-)[\w.:,-]+$/u))
    .exactOptional()
    .describe('Packages to build from source, or `:all:`'),
  no_cache_dir: z.boolean().default(false).describe('Keep no cache of what is downloaded'),
  trusted_host: oneOrMore(z.string().regex(/^(?!-)[\w.:-]+$/u))
    .exactOptional()
    .describe('Hosts that may do without a valid certificate'),
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
};

export const packagesField = oneOrMore(requirement);

export interface PipArgs {
  readonly requirements?: readonly string[];
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
  readonly no_binary?: readonly string[];
  readonly no_cache_dir: boolean;
  readonly trusted_host?: readonly string[];
  readonly proxy?: string;
  readonly cert?: string;
  readonly timeout?: number;
  readonly env_vars?: Readonly<Record<string, string>>;
}
