import { z } from 'zod';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { MAY_HOLD_SECRET, absolutePath, refusedArgument, singleLine } from '../lib/fields.ts';
import { areReadable } from './lib/credentials.ts';
import { fitsFile, loginsOf, placeOf } from './lib/repository.ts';
import type { Place } from './lib/repository.ts';

const DIRECTORY = '/etc/apt/sources.list.d';

/** A list of words, or one text with commas or spaces between them. */
const words = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat().flatMap((text) => text.split(/[\s,]+/u)))
  .transform((list) => list.filter((word) => word !== ''))
  .refine((list) => list.length > 0 && list.every((word) => /^[\w./~:+$()@%=&?-]+$/u.test(word)), {
    error: 'expected words with commas or spaces between them',
  });

const place = {
  name: singleLine
    .min(1)
    .describe(
      'The source as one line, `deb [options] URI suite components`, or a title if `uris` is given',
    )
    .meta(MAY_HOLD_SECRET),
  uris: words.exactOptional().describe('Where the packages are, if `name` is a title'),
  suites: words.exactOptional().describe('Suites such as bookworm, if `name` is a title'),
  types: words.exactOptional().describe('`deb`, `deb-src` or both, if `name` is a title'),
  dist: singleLine.exactOptional().describe('The suite, in place of the one in the line'),
  file: absolutePath
    .refine(
      (path) =>
        /^\/etc\/apt\/(?:sources\.list|sources\.list\.d\/[\w.-]+\.(?:list|sources))$/u.test(path),
      {
        error: `apt reads /etc/apt/sources.list and, in ${DIRECTORY}, what ends in .list or .sources`,
      },
    )
    .exactOptional()
    .describe('The file that it stands in; one of its own, named after it, if absent'),
  ppa: refusedArgument('archives of Launchpad are built for Ubuntu, not for Debian'),
};

const key = {
  signedby: absolutePath
    .exactOptional()
    .describe('The keyring that must have signed it; one named after the source if a key is given'),
  key_url: z
    .union([
      z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }),
      z.string().regex(/^\/[^\0\n]*$|^https?:\/\/\S+$/u, {
        error: 'expected an http(s) URL, a file below templates/ or a path on the host',
      }),
    ])
    .exactOptional()
    .describe(
      'Where its public key is: a file below templates/, a path on the host, or a URL, whose key stays once it is there unless `key_hash` names another',
    ),
  key_hash: z
    .string()
    .regex(/^(?:sha256[=:])?[0-9a-f]{64}$/iu, { error: 'expected a digest such as sha256=9f86…' })
    .transform((text) => text.slice(-64).toLowerCase())
    .exactOptional()
    .describe('The SHA-256 that a downloaded key must have'),
  key_text: z
    .string()
    .regex(/-----BEGIN PGP PUBLIC KEY BLOCK-----/u, { error: 'expected an armored public key' })
    .exactOptional()
    .describe('The public key itself, as text'),
  keyid: z
    .string()
    .transform((text) => text.replaceAll(/^0x|\s/giu, '').toUpperCase())
    .refine((text) => /^[0-9A-F]{16,64}$/u.test(text), {
      error: 'expected a whole fingerprint: shorter ids of keys can be made up by anybody',
    })
    .exactOptional()
    .describe('The fingerprint of its key, which `keyserver` has'),
  keyserver: z
    .string()
    .regex(/^(?:(?:hkps?|https?):\/\/)?[\w.:-]+\/?$/u, {
      error: 'expected the name of a key server',
    })
    .exactOptional()
    .describe('The server that has the key `keyid`'),
  aptkey: z
    .literal(false, { error: 'apt-key is gone: a key stands in a keyring of its own (signedby)' })
    .exactOptional()
    .describe('Always false: keys are never trusted for all sources'),
};

const WRONG_NAME = {
  error: 'expected `deb [options] URI suite components`, or a title with `uris` and `suites`',
  path: ['name'],
};

export const managedSchema = z
  .strictObject({
    ...place,
    ...key,
    comps: words.exactOptional().describe('Components such as main, in place of those in the line'),
    architectures: words.exactOptional().describe('Only packages of these architectures'),
    humanname: singleLine.exactOptional().describe('A name for people; apt has no place for it'),
    disabled: z.boolean().default(false).describe('Whether apt passes it over'),
    enabled: z.boolean().exactOptional().describe('The opposite of `disabled`'),
    clean_file: z.boolean().default(false).describe('Whether nothing else may stand in the file'),
    refresh: z
      .boolean()
      .default(true)
      .describe(
        'Whether its lists are fetched at once, and the source taken back if they cannot be',
      ),
    refresh_db: z.boolean().exactOptional().describe('Another name for `refresh`'),
    consolidate: z
      .literal(false, {
        error: 'other sources are never rewritten; clean_file: true cleans a file',
      })
      .exactOptional()
      .describe('Always false: other sources are never rewritten'),
    gpgcheck: z
      .union([z.literal(1), z.literal(true)], {
        error: 'apt always checks signatures; [trusted=yes] in the line says otherwise',
      })
      .exactOptional()
      .describe('Always true: apt checks signatures'),
  })
  .refine(({ name }) => !name.startsWith('ppa:'), {
    error: 'archives of Launchpad are built for Ubuntu, not for Debian',
    path: ['name'],
  })
  .refine(isNamed, WRONG_NAME)
  .refine((args) => !isNamed(args) || hasComponents(args), {
    error: 'a source has components such as main, unless its suite ends with a slash',
    path: ['comps'],
  })
  .refine(fitsFile, {
    error: 'a line has one type, URI and suite: a file that ends in .sources can hold several',
    path: ['file'],
  })
  .refine((args) => areReadable(loginsOf(args)), {
    error: 'apt has no way to write down a login without a name or with spaces in it',
    path: ['name'],
  })
  .refine(
    ({ key_url: url, key_text: text, keyid }) => [url, text, keyid].filter(isSaid).length < 2,
    {
      error: 'a key comes from one of `key_url`, `key_text` and `keyid`',
      path: ['key_url'],
    },
  )
  .refine(({ keyid, keyserver }) => (keyid === undefined) === (keyserver === undefined), {
    error: '`keyid` and `keyserver` go together',
    path: ['keyid'],
  })
  .refine(
    ({ key_url: url, key_hash: hash }) =>
      hash !== undefined || typeof url !== 'string' || !url.startsWith('http:'),
    { error: 'nobody can tell what plain http brings: https, or a key_hash', path: ['key_url'] },
  )
  .describe(
    'A source of Debian packages, as one line or in the deb822 form (a `file` that ends in .sources, or `uris` and a title). Its ' +
      'key goes to a keyring of its own that vouches for nothing else. Apt checks all sources with the change in ' +
      'them before anything is replaced, and fetches the lists of this one; if that fails the old sources are put ' +
      'back. The same source in another .list file is taken away there. A name and password in its address are kept ' +
      'from all but root, in a file below /etc/apt/auth.conf.d.',
  );

export const absentSchema = z
  .strictObject({
    ...place,
    keyring: z
      .boolean()
      .default(true)
      .describe('Whether its keyring below /etc/apt/keyrings goes, if no other source uses it'),
  })
  .refine((args) => isNamed(args) || /^[\w.-]+$/u.test(args.name), WRONG_NAME)
  .describe(
    'No such source of Debian packages: the line is taken out of all .list files, or out of `file`; of a title, the file ' +
      'in the deb822 form that is named after it is deleted.',
  );

export type ManagedArgs = z.infer<typeof managedSchema>;
export type AbsentArgs = z.infer<typeof absentSchema>;
function isSaid(value: unknown): boolean {
  return value !== undefined;
}

function isNamed(args: Place): boolean {
  return placeOf(args) !== null;
}

function hasComponents(args: Place & { comps?: readonly string[] }): boolean {
  const { suites, components } = placeOf(args) ?? { suites: [], components: [] };
  const isFlat = suites.every((suite) => suite.endsWith('/'));
  return isFlat === ((args.comps ?? components).length === 0);
}
