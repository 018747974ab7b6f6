import { z } from 'zod';
import { objectName, serverFields } from './lib/postgres-fields.ts';

const moment = z.union([
  z.literal('infinity'),
  z.iso
    .datetime({ offset: true })
    .or(z.iso.date())
    .transform((text) => `${new Date(text).toISOString().slice(0, 19)}Z`),
]);

const fields = {
  name: objectName.describe('Name of the role'),
  superuser: z.boolean().exactOptional().describe('Passes every permission check'),
  createdb: z.boolean().exactOptional().describe('May create databases'),
  createroles: z.boolean().exactOptional().describe('May create roles'),
  inherit: z.boolean().exactOptional().describe('Has the privileges of its groups at once'),
  replication: z.boolean().exactOptional().describe('May stream replication'),
  connection_limit: z
    .int()
    .min(-1)
    .max(2_147_483_647)
    .exactOptional()
    .describe('Connections at a time; -1 is no limit'),
  valid_until: moment
    .exactOptional()
    .describe('When the password expires: a date, a time with its zone, or `infinity`'),
  groups: z
    .union([
      z.string().transform((text) => text.split(',').map((group) => group.trim())),
      z.array(objectName),
    ])
    .transform((names) => [...new Set(names)].toSorted())
    .exactOptional()
    .describe('Exactly the roles that this one is a member of, as a list or separated by commas'),
  password: z
    .string()
    .min(1)
    .exactOptional()
    .describe('The password, or a ready `SCRAM-SHA-256$…` verifier')
    .meta({ secret: true }),
  default_password: z
    .string()
    .min(1)
    .exactOptional()
    .describe('The password that a new role gets; never compared afterwards')
    .meta({ secret: true }),
  refresh_password: z
    .boolean()
    .exactOptional()
    .describe('`false` leaves the password of a role that is there as it is'),
  encrypted: z
    .union([z.literal([true, 'md5', 'scram-sha-256'])], {
      error: 'expected true, md5 or scram-sha-256: no server keeps passwords in plain any more',
    })
    .exactOptional()
    .describe('How the server must keep the password: any way that it has if `true` or absent'),
  ...serverFields,
};

const hasOnePassword = ({
  password,
  default_password,
}: {
  password?: string;
  default_password?: string;
}): boolean => password === undefined || default_password === undefined;
const ONE_PASSWORD = {
  error: 'expected either `password` or `default_password`',
  path: ['default_password'],
};

export const presentSchema = z
  .strictObject({ ...fields, login: z.boolean().default(true).describe('May log in') })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe(
    'A PostgreSQL role that can log in. The password is compared with what the server keeps, without a ' +
      'login, and is given to the server as a SCRAM-SHA-256 verifier only, so that it appears in no log of ' +
      'the server. Where the server does not show what it keeps, as hosted ones do not, a login over `db_host` is ' +
      'tried. Attributes that are not given are left as they are.',
  );

export const groupSchema = z
  .strictObject({ ...fields, login: z.boolean().default(false).describe('May log in, too') })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe(
    'A PostgreSQL role that others can be members of (`groups` of postgres_user.present), and that cannot log in. ' +
      'Attributes that are not given are left as they are.',
  );
