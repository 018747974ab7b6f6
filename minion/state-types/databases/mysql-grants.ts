import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { askLines, askServer, tellServer } from './lib/mysql.ts';
import { accountField, hostField, serverFields, serverNeeds } from './lib/mysql-fields.ts';
import { account, identifier } from './lib/mysql-quote.ts';
import { needTable } from './lib/mysql-tables.ts';
import type { Server } from './lib/mysql-fields.ts';
import { mysqlGranted, mysqlRevoked } from './lib/granted.ts';
import { ALL, isPrivilege, parseGrants, splitPrivileges } from './lib/mysql-grants.ts';

type Granted = { grant: readonly string[]; grant_option: boolean };
type Named = Server & {
  grant: readonly string[];
  database: string;
  user: string;
  host: string;
  escape: boolean;
  revoke_first?: boolean;
};

const NO_SUCH_GRANT = 1141;
const ACCOUNTS = 'SELECT JSON_ARRAY(user, host) FROM mysql.user ORDER BY user, host;';

const privileges = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => splitPrivileges(Array.isArray(given) ? given.join(',') : given))
  .refine(
    (names) =>
      names.length > 0 && names.every((name) => /^[A-Z][A-Z ]*(?: \([^()'`;]+\))?$/u.test(name)),
    {
      error: 'expected privileges such as SELECT, INSERT or ALL PRIVILEGES',
    },
  )
  .refine((names) => names.every(isPrivilege), {
    error: (issue) => `no server has the privilege ${unknownIn(issue.input)}`,
  })
  .refine((names) => !names.includes('USAGE'), {
    error: 'USAGE is no privilege: every account has it',
  })
  .refine((names) => !names.includes('GRANT OPTION'), {
    error: 'passing privileges on is asked for with `grant_option`',
  })
  .transform((names) => (names.includes(ALL) ? [ALL] : names));

function unknownIn(names: unknown): string {
  const unknown = Array.isArray(names) ? names.filter((name) => !isPrivilege(String(name))) : [];
  return unknown.map((name) => `"${String(name)}"`).join(', ');
}

const fields = {
  name: z
    .string()
    .exactOptional()
    .describe('Only a title; the grant is told by the other arguments'),
  grant: privileges.describe('Privileges, as a list or separated by commas'),
  database: z
    .string()
    .regex(/^[^\0\r\n]+\.[^\0\r\n.]+$/u, { error: 'expected DATABASE.*, DATABASE.TABLE or *.*' })
    .refine((object) => !object.startsWith('*.') || object === '*.*', {
      error: 'a table of every database is none: expected DATABASE.*, DATABASE.TABLE or *.*',
    })
    .describe('What they are on: `shop.*`, `shop.orders` or `*.*`'),
  user: accountField.describe('Name of the account'),
  host: hostField
    .transform((host) => host.toLowerCase())
    .default('localhost')
    .describe('Host of the account'),
  escape: z
    .boolean()
    .default(true)
    .describe(
      '`_` and `%` in the name of a database stand for themselves; false makes them patterns',
    ),
  ...serverFields,
};

const presentSchema = z
  .strictObject({
    ...fields,
    grant_option: z.boolean().exactOptional().describe('May pass them on'),
    revoke_first: z
      .boolean()
      .exactOptional()
      .describe(
        'Exactly these privileges on that object: others that the account has there are revoked',
      ),
  })
  .describe(
    'At least these privileges of a MariaDB or MySQL account on a database or table; exactly these with `revoke_first`.',
  );

export const mysqlGrantsPresent = defineState<z.infer<typeof presentSchema>, Granted>({
  name: 'mysql_grants.present',
  schema: presentSchema,
  example: `shop may use its database:
  mysql_grants.present:
    grant: ALL PRIVILEGES
    database: shop.*
    user: shop
    host: localhost
`,
  settles: mysqlGranted,
  needs,
  read,
  want: ({ grant, grant_option }) =>
    grant_option === undefined ? { grant } : { grant, grant_option },
  refuses,
  apply,
});

export const mysqlGrantsAbsent = defineState({
  name: 'mysql_grants.absent',
  schema: z
    .strictObject(fields)
    .describe('None of these privileges of a MariaDB or MySQL account on a database or table.'),
  example: `shop may not drop:
  mysql_grants.absent:
    grant: DROP
    database: shop.*
    user: shop
`,
  settles: mysqlRevoked,
  needs,
  read,
  want: () => null,
  apply,
});

function needs(args: Named): string[] {
  const { database, user, host } = args;
  const [name = ''] = database.split('.');
  const ofDatabase = name === '*' ? [] : [`mysql-database:${name}`];
  return [...serverNeeds(args), `mysql-user:${user}@${host}`, ...ofDatabase];
}

async function read(args: Named, host: HostView): Promise<Granted | null> {
  const lines = await grantLines(args, host);
  const grants = parseGrants(lines).filter(({ object }) => object === objectOf(args).plain);
  const held = grants.flatMap((grant) => grant.privileges).filter((name) => name !== 'USAGE');
  const shown = args.revoke_first === true ? held : askedAmong(args.grant, held);
  if (shown.length === 0) return null;
  const grantOption = grants.some((grant) => grant.grantOption);
  return { grant: [...new Set(shown)].toSorted(), grant_option: grantOption };
}

const accountRow = z.tuple([z.string(), z.string()]);

/** How many accounts are asked for by themselves before all of a server's are. */
const ASKED_ALONE = 3;

/** What `SHOW GRANTS` says of an account; where many are declared, asked for all of them together. */
async function grantLines(args: Named, host: HostView): Promise<readonly string[]> {
  const asked = await host.shared('mysql grants asked', async () => new Set<string>());
  asked.add(account(args.user, args.host));
  if (asked.size <= ASKED_ALONE) return oneGrant(args, host);
  const accounts = await askServer(host, args, accountRow, ACCOUNTS);
  const index = accounts.findIndex(([user, at]) => user === args.user && at === args.host);
  if (index === -1) return [];
  // Before the lines of each account stands its number: no grant begins like that.
  const script = accounts.map(
    ([user, at], number) => `SELECT '#${number}'; SHOW GRANTS FOR ${account(user, at)};`,
  );
  const lines = await askLines(host, args, script.join('\n'), NO_SUCH_GRANT);
  if (lines === null) return oneGrant(args, host);
  const from = lines.indexOf(`#${index}`) + 1;
  const to = lines.indexOf(`#${index + 1}`);
  return lines.slice(from, to === -1 ? lines.length : to);
}

/** By itself, where one of the others has none. */
async function oneGrant(args: Named, host: HostView): Promise<readonly string[]> {
  return (await grantsAlone(args, host)) ?? [];
}

/** `null` if there is no such account. */
function grantsAlone(args: Named, host: HostView): Promise<readonly string[] | null> {
  const statement = `SHOW GRANTS FOR ${account(args.user, args.host)};`;
  return askLines(host, args, statement, NO_SUCH_GRANT);
}

async function refuses(_change: Change<Granted>, args: Named, host: HostView): Promise<void> {
  const { user, host: at } = args;
  if ((await grantsAlone(args, host)) !== null) return needTable(args, host);
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot give privileges to "${user}"@"${at}": there is no such account`,
    { lacks: [`mysql-user:${user}@${at}`] },
  );
}

async function apply(change: Change<Granted>, args: Named, host: Host): Promise<void> {
  const on = objectOf(args).quoted;
  const who = account(args.user, args.host);
  if (change.action === 'remove') {
    return tellServer(host, args, [`REVOKE ${change.from.grant.join(', ')} ON ${on} FROM ${who}`]);
  }
  const held = change.action === 'update' ? change.from : { grant: [], grant_option: false };
  const surplus = held.grant.filter((name) => !args.grant.includes(name));
  const sql: string[] = [];
  if (surplus.length > 0) sql.push(`REVOKE ${surplus.join(', ')} ON ${on} FROM ${who}`);
  if (change.to.grant_option === false && held.grant_option) {
    sql.push(`REVOKE GRANT OPTION ON ${on} FROM ${who}`);
  }
  const option = change.to.grant_option === true ? ' WITH GRANT OPTION' : '';
  sql.push(`GRANT ${args.grant.join(', ')} ON ${on} TO ${who}${option}`);
  return tellServer(host, args, sql);
}

/** Who has all privileges has each one. */
function askedAmong(asked: readonly string[], held: readonly string[]): readonly string[] {
  return held.includes(ALL) ? asked : asked.filter((name) => held.includes(name));
}

/** The object as `SHOW GRANTS` names it, and as a statement does. */
function objectOf({ database, escape }: Named): { plain: string; quoted: string } {
  const dot = database.lastIndexOf('.');
  const [name, table] = [database.slice(0, dot), database.slice(dot + 1)];
  const isPattern = table === '*' && name !== '*';
  const shown = isPattern && escape ? name.replaceAll(/(?<!\\)[_%]/gu, String.raw`\$&`) : name;
  const parts = [shown, table].map((part) => (part === '*' ? '*' : identifier(part)));
  return { plain: `${shown}.${table}`, quoted: parts.join('.') };
}
