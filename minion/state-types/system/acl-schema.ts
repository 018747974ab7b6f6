import { z } from 'zod';
import type { Permits } from '../../../shared/surroundings.ts';
import { EXPOSED, absolutePath, accountName } from '../lib/fields.ts';

const TYPES = [
  'user',
  'group',
  'mask',
  'other',
  'default:user',
  'default:group',
  'default:mask',
  'default:other',
] as const;
const SHORT: Readonly<Record<string, string>> = { u: 'user', g: 'group', m: 'mask', o: 'other' };

/** `d:user`, `default:user` and `d:u` are the same. */
function fullType(text: string): string {
  const [, isDefault, word = ''] = /^(?<mark>d(?:efault)?:)?(?<word>[a-z]+)$/u.exec(text) ?? [];
  return `${isDefault === undefined ? '' : 'default:'}${SHORT[word] ?? word}`;
}

const shared = {
  name: absolutePath.describe('The file or directory'),
  acl_type: z
    .string()
    .transform(fullType)
    .pipe(z.enum(TYPES))
    .describe('What it is for: user, group, mask or other; with "default:" what new files get'),
  acl_name: z
    .union([z.literal(''), z.int().nonnegative(), z.string().regex(/^\d+$/u), accountName])
    .transform(String)
    .default('')
    .describe('The user or group; the owner, or the owning group, if empty')
    .meta(EXPOSED),
  recurse: z.boolean().default(false).describe('Whether all that is below has the same entry'),
};

const perms = z
  .string()
  .regex(/^(?=.)r?-?w?-?[xX]?-?$/u, { error: 'expected permissions such as rwx, r-x, rX or ---' })
  .transform(
    (text) =>
      [...'rw'].map((one) => (text.includes(one) ? one : '-')).join('') +
      (/[xX]/u.exec(text)?.[0] ?? '-'),
  );

export const presentSchema = z
  .strictObject({
    ...shared,
    perms: perms.describe(
      'Permissions, such as rwx or rX; X is x for directories and programs only',
    ),
  })
  .describe(
    'An entry of the access list of a file or directory, beside its mode, whose middle digit must leave room for it. A default entry says what is given to all that ' +
      'is made in a directory later. With `recurse` the same entry is on all files and directories below; links are not followed, and files that hold a secret stay closed to all others.',
  );

export const absentSchema = z
  .strictObject({
    ...shared,
    perms: perms.exactOptional().describe('Says nothing here: the entry goes whatever it permits'),
  })
  .refine(({ acl_name: name, acl_type: type }) => name !== '' || type.includes(':'), {
    error: 'expected a user or group: entries of the owner and of all others cannot be taken away',
    path: ['acl_name'],
  })
  .describe('No entry for this user or group in the access list of a file or directory.');

export type PresentArgs = z.infer<typeof presentSchema>;
export type AbsentArgs = z.infer<typeof absentSchema>;

/** Of a mode, the middle digit bounds all but its owner and everybody else. */
export function permits(args: PresentArgs): Permits | null {
  const { name: path, recurse: isBelow, acl_type: type, acl_name: who, perms: given } = args;
  if (type.startsWith('default:')) return null;
  const whose = digitOf(type, who);
  const isExact = whose !== 'group' || type === 'mask';
  return { path, isBelow, whose, entry: `${type}:${who}`, perms: given, isExact };
}

function digitOf(type: PresentArgs['acl_type'], who: string): Permits['whose'] {
  if (type === 'other') return 'others';
  return type === 'user' && who === '' ? 'owner' : 'group';
}
