import { isIP } from 'node:net';
import { z } from 'zod';
import { singleLine } from '../lib/fields.ts';
import { connectionFields } from './lib/postgres-fields.ts';

/** https://www.postgresql.org/docs/current/auth-pg-hba-conf.html */
const METHODS = [
  'trust',
  'reject',
  'scram-sha-256',
  'md5',
  'password',
  'gss',
  'sspi',
  'ident',
  'peer',
  'ldap',
  'radius',
  'cert',
  'pam',
  'bsd',
  'oauth',
] as const;
const TYPES = ['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc'] as const;

const words = z
  .union([z.string().transform((text) => [text]), z.array(z.string()).min(1)])
  .refine((names) => names.every((name) => /^[^\0\r\n"#]{1,200}$/u.test(name)), {
    error: 'expected a name or a list of names',
  });
/** Options that hold a password. */
export const SECRET_OPTIONS = ['ldapbindpasswd', 'radiussecrets'] as const;
const optionValue = z.string().regex(/^[^\s"#]+$/u);
const secretValue = optionValue.exactOptional().meta({ secret: true });
/** Those that hold a password are secret wherever it comes from. */
const optionMapping = z
  .object({
    ldapbindpasswd: secretValue.describe('The password with which LDAP is searched'),
    radiussecrets: secretValue.describe('What is shared with the RADIUS servers'),
  })
  .catchall(optionValue)
  .refine((options) => Object.keys(options).every((name) => /^\w+$/u.test(name)), {
    error: 'expected names of options, such as map',
  });

/** From `NAME=VALUE`. */
export function optionsIn(words: readonly string[]): Record<string, string> {
  const pairs = words.map((word) => [word.split('=', 1)[0] ?? '', word.replace(/^[^=]*=/u, '')]);
  return Object.fromEntries(pairs);
}

const { db_host, ...local } = connectionFields;
export const fields = {
  name: singleLine
    .refine((name) => /^\S(?:.{0,98}\S)?$/u.test(name), { error: 'expected a short title' })
    .describe('A title of your own, which stands behind the rule in the file'),
  ...local,
};

/** What looks like an address has to be a network; anything else is a name. */
function isNetworkOrName(text: string): boolean {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0) return length === undefined && !/^[\d.]+$/u.test(address);
  return (
    /^\d{1,3}$/u.test(length ?? '') &&
    more.length === 0 &&
    Number(length) <= (family === 4 ? 32 : 128)
  );
}

export const presentSchema = z
  .strictObject({
    ...fields,
    type: z.enum(TYPES).default('host').describe('Over what the client comes'),
    database: words
      .default(['all'])
      .describe('Databases that it is about: names, all, sameuser or replication'),
    role: words.default(['all']).describe('Roles that it is about: names, all, or +group'),
    address: z
      .string()
      .regex(/^[\w.:/%-]{1,200}$/u, { error: 'expected a network such as 10.0.0.0/8, or a name' })
      .refine(isNetworkOrName, {
        error: 'is no network: expected an address with its length, such as 10.0.0.0/8 or ::1/128',
      })
      .exactOptional()
      .describe('Where the client is: a network, a name, all, samehost or samenet'),
    method: z
      .enum(METHODS)
      .describe('How the client proves who it is, such as scram-sha-256, peer, cert or reject'),
    options: z
      .union([optionMapping, z.array(z.string().regex(/^\w+=[^\s"#]+$/u)).transform(optionsIn)])
      .default({})
      .describe(
        'Options of the method, as a mapping or a list of NAME=VALUE; passwords among them are shown nowhere',
      ),
    order: z
      .int()
      .min(0)
      .max(9999)
      .default(500)
      .describe('The server takes the first rule that fits: lower numbers stand first'),
  })
  .refine(({ type, address }) => (type === 'local') === (address === undefined), {
    error: 'every rule but a local one has an address',
    path: ['address'],
  })
  .describe(
    'A rule of pg_hba.conf: who may connect to PostgreSQL from where, and how. The rules that are declared stand before ' +
      'all others of the file. The server reads the changed file first; if it finds a mistake anywhere in it the old ' +
      'file is put back, else it is told to take it.',
  );
export type Args = z.infer<typeof presentSchema>;
