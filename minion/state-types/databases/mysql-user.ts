import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { gone, there } from '../lib/settled.ts';
import { askServer, tellServer } from './lib/mysql.ts';
import { accountField, hostField, serverFields, serverNeeds } from './lib/mysql-fields.ts';
import { account, literal, nativeHash } from './lib/mysql-quote.ts';
import type { Server } from './lib/mysql-fields.ts';

type User = { password_works: boolean; unix_socket: boolean; allow_passwordless: boolean };
type Named = Server & {
  name: string;
  host: string;
  password?: string;
  password_hash?: string;
  unix_socket?: boolean;
  allow_passwordless?: boolean;
};

const NATIVE = new Set(['mysql_native_password', '']);
const SOCKET = new Set(['unix_socket', 'auth_socket']);
const WAYS = ['password', 'password_hash', 'unix_socket', 'allow_passwordless'] as const;

const USERS = `SELECT JSON_OBJECT('name', User, 'host', Host, 'plugin', plugin,
  'hash', authentication_string) FROM mysql.user;`;
const userRow = z.strictObject({
  name: z.string(),
  host: z.string(),
  plugin: z.string().nullable(),
  hash: z.string().nullable(),
});

const nameFields = {
  name: accountField.describe('Name of the account'),
  host: hostField
    .transform((host) => host.toLowerCase())
    .default('localhost')
    .describe('Where it may come from: a name, an address or a pattern with %'),
  ...serverFields,
};

const presentSchema = z
  .strictObject({
    ...nameFields,
    password: z.string().min(1).exactOptional().describe('The password').meta({ secret: true }),
    password_hash: z
      .string()
      .regex(/^\*[0-9A-F]{40}$/iu, { error: 'expected * and 40 hexadecimal digits' })
      .transform((hash) => hash.toUpperCase())
      .exactOptional()
      .describe('Instead of the password, what the server keeps of it: `*` and 40 digits')
      .meta({ secret: true }),
    unix_socket: z
      .boolean()
      .exactOptional()
      .describe('Lets in the system account of the same name, over the socket, without a password'),
    allow_passwordless: z
      .boolean()
      .exactOptional()
      .describe('Lets in anybody who gives the name, with an empty password'),
  })
  .refine(
    (args) => WAYS.filter((way) => args[way] !== undefined && args[way] !== false).length === 1,
    {
      error: 'expected exactly one of password, password_hash, unix_socket and allow_passwordless',
    },
  )
  .describe(
    'A MariaDB or MySQL account and how it is let in. The password is compared with what the server keeps, ' +
      'without a login, and only that (its `mysql_native_password` hash) is given to the server.',
  );

export const mysqlUserPresent = defineState<z.infer<typeof presentSchema>, User>({
  name: 'mysql_user.present',
  schema: presentSchema,
  example: `shop account:
  mysql_user.present:
    name: shop
    host: localhost
    password: "{{ pillar.databases.shop.password }}"
`,
  provides: ({ name, host }) => [`mysql-user:${name}@${host}`],
  settles: (args) => there(accountOn(args)),
  needs: serverNeeds,
  read,
  want: wanted,
  apply,
});

export const mysqlUserAbsent = defineState({
  name: 'mysql_user.absent',
  schema: z
    .strictObject(nameFields)
    .refine((args) => !isOwn(args), {
      error:
        "root@localhost is the way in, and mysql@localhost, mariadb.sys@localhost and mysql.* are the server's own: they are never dropped",
      path: ['name'],
    })
    .refine((args) => !isWayIn(args), {
      error: 'the account that is logged in as cannot be dropped',
      path: ['name'],
    })
    .describe('No MariaDB or MySQL account of that name and host.'),
  example: `old account:
  mysql_user.absent:
    name: legacy
    host: localhost
`,
  takes: ({ name, host }: Server & { name: string; host: string }) => [
    `mysql-user:${name}@${host}`,
  ],
  settles: (args: Server & Known) => gone([accountOn(args)]),
  needs: serverNeeds,
  read,
  want: () => null,
  apply,
});

/** What tells it from others. */
interface Known {
  readonly name: string;
  host: string;
  readonly connection_host?: string;
}

function accountOn({ name, host, connection_host: server = 'this host' }: Known): string {
  return `MariaDB account:${name}@${host} on ${server}`;
}

/** Accounts without which nobody gets in, or views and jobs of the server itself fail. */
function isOwn({ name, host }: { name: string; host: string }): boolean {
  if (host !== 'localhost') return false;
  return ['root', 'mysql', 'mariadb.sys'].includes(name) || name.startsWith('mysql.');
}

/** On this host; how a server elsewhere calls the one who comes, only it knows. */
function isWayIn({ name, host, connection_host, connection_user }: Named): boolean {
  return connection_host === undefined && host === 'localhost' && name === connection_user;
}

async function read(args: Named, host: HostView): Promise<User | null> {
  const users = await askServer(host, args, userRow, USERS);
  const user = users.find(
    (other) => other.name === args.name && other.host.toLowerCase() === args.host,
  );
  if (user === undefined) return null;
  const kept = user.hash ?? '';
  const isNative = NATIVE.has(user.plugin ?? '');
  return {
    password_works: isNative && kept !== '' && kept.toUpperCase() === hashOf(args),
    unix_socket: SOCKET.has(user.plugin ?? ''),
    allow_passwordless: isNative && kept === '',
  };
}

function wanted({ unix_socket, allow_passwordless }: Named): Partial<User> {
  if (unix_socket === true) return { unix_socket };
  if (allow_passwordless === true) return { allow_passwordless };
  return { password_works: true };
}

/** That it is there or gone already, by a statement that outlived a killed client, is no failure: the engine looks again. */
async function apply(change: Change<User>, args: Named, host: Host): Promise<void> {
  const who = account(args.name, args.host);
  if (change.action === 'remove') return tellServer(host, args, [`DROP USER IF EXISTS ${who}`]);
  const verb = change.action === 'create' ? 'CREATE USER IF NOT EXISTS' : 'ALTER USER';
  const isMariaDb = (await host.status('/usr/bin/mariadb')) !== null;
  const socketPlugin = isMariaDb ? 'unix_socket' : 'auth_socket';
  const way =
    args.unix_socket === true
      ? `WITH ${socketPlugin}`
      : `WITH mysql_native_password AS ${literal(hashOf(args))}`;
  return tellServer(host, args, [`${verb} ${who} IDENTIFIED ${way}`]);
}

/** What the server is to keep; empty for an empty password. */
function hashOf({ password, password_hash }: Named): string {
  if (password_hash !== undefined) return password_hash;
  return password === undefined ? '' : nativeHash(password);
}
