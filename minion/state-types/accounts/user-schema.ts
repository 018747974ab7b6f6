import { z } from 'zod';
import {
  EXPOSED,
  absolutePath,
  accountName,
  accountNames,
  accountReference,
} from '../lib/fields.ts';

const gecosField = z.string().regex(/^[^\0\r\n:,]*$/u, {
  error: 'expected a text without ":" and ","',
});

/** What crypt(3) makes, or a word that lets no password in. */
const passwordHash = z
  .string()
  .regex(/^(?:!?\$[0-9a-z]+\$[^\s:]+|!?[./0-9A-Za-z]{13}|[!*]{1,2})$/u, {
    error: 'expected a password hash such as `openssl passwd -6` prints, not the password itself',
  })
  .meta({ secret: true });

/** -1 and null are the same: no limit. */
const days = z
  .int()
  .min(-1)
  .max(99_999)
  .nullable()
  .transform((count) => (count === -1 ? null : count));

const expiry = z.union([
  z.iso.date(),
  z.literal('never'),
  z
    .int()
    .min(-1)
    .max(99_999)
    .transform((count) => (count < 0 ? 'never' : dateAfter(count))),
]);

function dateAfter(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

const identity = {
  name: accountName.describe('Login name'),
  uid: z.int().nonnegative().exactOptional().describe('Numeric id; the next free one if absent'),
  gid: accountReference
    .exactOptional()
    .describe('Primary group, by name or number; one of the same name as the user if absent'),
  usergroup: z
    .boolean()
    .exactOptional()
    .describe('Whether a new user gets a group of the same name; as login.defs says if absent'),
  gid_from_name: z
    .boolean()
    .default(false)
    .describe('Whether the primary group is the one of the same name; a new user gets one'),
  unique: z.boolean().default(true).describe('`false` lets several users share one uid'),
  allow_uid_change: z
    .boolean()
    .default(false)
    .describe('Whether the uid of a user that exists may be changed; refused otherwise'),
  allow_gid_change: z
    .boolean()
    .default(false)
    .describe('Whether the primary group of a user that exists may be changed; refused otherwise'),
  system: z.boolean().default(false).describe('Whether a new user gets an id of the system range'),
  nologinit: z
    .boolean()
    .default(false)
    .describe('Whether a new user is left out of lastlog and faillog, which grow with the uid'),
};

const membership = {
  groups: accountNames.exactOptional().describe('Supplementary groups: exactly these'),
  optional_groups: accountNames
    .exactOptional()
    .describe('Supplementary groups that count only where they exist'),
  remove_groups: z
    .boolean()
    .default(true)
    .describe('`false` keeps the user in groups that are not listed'),
};

const surroundings = {
  home: absolutePath
    .exactOptional()
    .describe('Home directory; /home/NAME for a new user if absent'),
  createhome: z
    .boolean()
    .default(true)
    .describe('Whether the home directory is made from /etc/skel where it is missing'),
  shell: absolutePath.exactOptional().describe('Login shell'),
  fullname: gecosField.exactOptional().describe('Full name').meta(EXPOSED),
  roomnumber: gecosField.exactOptional().describe('Room number').meta(EXPOSED),
  workphone: gecosField.exactOptional().describe('Telephone at work').meta(EXPOSED),
  homephone: gecosField.exactOptional().describe('Telephone at home').meta(EXPOSED),
  other: z
    .string()
    .regex(/^[^\0\r\n:]*$/u, { error: 'expected a text without ":"' })
    .exactOptional()
    .describe('Anything else in the comment field')
    .meta(EXPOSED),
};

const authentication = {
  password: passwordHash
    .exactOptional()
    .meta({ secret: true })
    .describe('Password hash, compared with /etc/shadow; `!` and `*` let no password in'),
  hash_password: z
    .boolean()
    .refine((is) => !is, {
      error:
        'the password itself would stand in the pillar, and its hash be another on every host; `openssl passwd -6` makes a hash',
    })
    .default(false)
    .describe('Refused if true: a password is given as its hash'),
  enforce_password: z
    .boolean()
    .default(true)
    .describe(
      '`false` gives the password only to users who have none and leaves later changes alone',
    ),
  empty_password: z
    .boolean()
    .default(false)
    .describe('Whether anybody may log in without a password'),
  mindays: days.exactOptional().describe('Days before a password may be changed again'),
  maxdays: days.exactOptional().describe('Days after which a password must be changed'),
  warndays: days.exactOptional().describe('Days of warning before that'),
  inactdays: days.exactOptional().describe('Days after that until the account is closed'),
  expire: expiry
    .exactOptional()
    .describe('Last day of the account: 2027-01-31, days since 1970, or `never`'),
};

export const userPresentSchema = z
  .strictObject({ ...identity, ...membership, ...surroundings, ...authentication })
  .refine(({ password, empty_password: empty }) => password === undefined || !empty, {
    error: 'a user cannot have both `password` and `empty_password`',
    path: ['empty_password'],
  })
  .refine(({ gid, gid_from_name: fromName }) => gid === undefined || !fromName, {
    error: 'a user has either `gid` or `gid_from_name`',
    path: ['gid_from_name'],
  })
  .describe(
    'A user account with the attributes that are given; those that are not given stay as they are. ' +
      'A password is given as its hash and compared with the one in /etc/shadow.',
  );

export const userAbsentSchema = z
  .strictObject({
    name: accountName.describe('Login name'),
    purge: z.boolean().default(false).describe('Whether the home directory and mail go as well'),
    force: z.boolean().default(false).describe('Whether a user who is logged in is removed too'),
  })
  .describe('No user account of this name. Files of the user stay unless `purge` is true.');

export type UserArgs = z.infer<typeof userPresentSchema>;
export type UserAbsentArgs = z.infer<typeof userAbsentSchema>;

/** How one account is. */
export type User = {
  uid: number;
  gid: string;
  groups: readonly string[];
  home: string;
  /** Whether the home directory is there. */
  createhome: boolean;
  shell: string;
  fullname: string;
  roomnumber: string;
  workphone: string;
  homephone: string;
  other: string;
  password: string;
  empty_password: boolean;
  mindays: number | null;
  maxdays: number | null;
  warndays: number | null;
  inactdays: number | null;
  expire: string;
};
