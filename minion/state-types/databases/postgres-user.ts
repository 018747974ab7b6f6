import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { gone, there } from '../lib/settled.ts';
import { letsIn, tellAtOnce, tellServer } from './lib/postgres.ts';
import {
  accountOf,
  objectName,
  roleOf,
  serverFields,
  serverNeeds,
  withoutServer,
  thingOn,
} from './lib/postgres-fields.ts';
import type { Server } from './lib/postgres-fields.ts';
import { guardHoldings } from './lib/postgres-dependents.ts';
import { needRoles, readRoles } from './lib/postgres-roles.ts';
import { presentSchema } from './postgres-user-schema.ts';
import { isVerifier, md5Of, passwordWorks, scramVerifier } from './lib/scram.ts';

type Role = {
  login: boolean;
  superuser: boolean;
  createdb: boolean;
  createroles: boolean;
  inherit: boolean;
  replication: boolean;
  connection_limit: number;
  valid_until: string;
  groups: readonly string[];
  password_works: boolean;
};
type Named = Server & {
  name: string;
  password?: string;
  default_password?: string;
  refresh_password?: boolean;
  encrypted?: Encrypted;
};
type Encrypted = true | 'md5' | 'scram-sha-256';

/** The first is the way in, the others the server keeps for itself. */
const droppable = objectName.refine((name) => name !== 'postgres' && !name.startsWith('pg_'), {
  error: "postgres and names that begin with pg_ are the server's own: they are never dropped",
});

const FLAGS = [
  ['login', 'LOGIN'],
  ['superuser', 'SUPERUSER'],
  ['createdb', 'CREATEDB'],
  ['createroles', 'CREATEROLE'],
  ['inherit', 'INHERIT'],
  ['replication', 'REPLICATION'],
] as const satisfies [keyof Role, string][];

export const postgresUserPresent = defineState<z.infer<typeof presentSchema>, Role>({
  name: 'postgres_user.present',
  schema: presentSchema,
  example: `openknesset database role:
  postgres_user.present:
    name: openknesset
    password: "{{ pillar.databases.openknesset.password }}"
    createdb: true
`,
  provides: ({ name }) => [`postgres-role:${name}`],
  settles: (args) => there(thingOn('role', args)),
  needs: (args) => [
    ...serverNeeds(args),
    ...(args.groups ?? []).map((role) => `postgres-role:${role}`),
  ],
  read,
  async want(args, host) {
    await needRoles(args.groups ?? [], `Cannot make "${args.name}" a member`, host, args);
    const { name, password, default_password, refresh_password, encrypted, ...attributes } =
      withoutServer(args);
    const isAsked = password !== undefined || default_password !== undefined;
    return isAsked ? { ...attributes, password_works: true } : attributes;
  },
  apply,
});

export const postgresUserAbsent = defineState({
  name: 'postgres_user.absent',
  schema: z
    .strictObject({ name: droppable.describe('Name of the role'), ...serverFields })
    .refine((args) => args.name !== (roleOf(args) ?? accountOf(args)), {
      error: 'the role that is logged in as cannot be dropped',
      path: ['name'],
    })
    .describe(
      'No PostgreSQL role of that name. A role that still owns something, or has privileges, is not dropped; it is said on what.',
    ),
  example: `old role:
  postgres_user.absent:
    name: legacy
`,
  takes: ({ name }: Server & { name: string }) => [`postgres-role:${name}`],
  settles: (args: Named) => gone([thingOn('role', args)]),
  needs: serverNeeds,
  read,
  want: () => null,
  refuses: (_change: Change<Role>, args: Named, host: HostView) =>
    guardHoldings(args.name, host, args),
  apply,
});

async function read(args: Named, host: HostView): Promise<Role | null> {
  const { roles, readable } = await readRoles(host, args);
  const role = Object.hasOwn(roles, args.name) ? roles[args.name] : undefined;
  if (role === undefined) return null;
  const { verifier, valid_until, ...attributes } = role;
  const works = readable ? keepsPassword(args, verifier) : await acceptsPassword(args, host);
  return { ...attributes, valid_until: valid_until ?? 'infinity', password_works: works };
}

/** Whether the server keeps what is declared, in the way that is declared. */
function keepsPassword(args: Named, verifier: string | null): boolean {
  const { name, password, refresh_password, encrypted } = args;
  if (password === undefined || refresh_password === false) return true;
  if (encrypted === 'md5' && verifier?.startsWith('md5') !== true) return false;
  if (encrypted === 'scram-sha-256' && verifier?.startsWith('SCRAM-') !== true) return false;
  return passwordWorks(password, name, verifier);
}

/** What a server hides can only be tried; a verifier cannot even be that. */
async function acceptsPassword(args: Named, host: HostView): Promise<boolean> {
  const { name, password, refresh_password, db_host } = args;
  if (password === undefined || refresh_password === false) return true;
  if (db_host !== undefined && !isVerifier(password)) {
    const isIn = await letsIn(host, { ...args, db_user: name, db_password: password });
    if (isIn !== null) return isIn;
  }
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot compare the password of role "${name}": the server neither shows what it keeps nor lets it be tried ` +
      '(refresh_password: false leaves it alone)',
    { lacks: [] },
  );
}

async function apply(change: Change<Role>, args: Named, host: Host): Promise<void> {
  const { name } = args;
  if (change.action === 'remove')
    return tellServer(host, args, ['DROP ROLE :"role"'], { role: name });
  const { action, to } = change;
  const values: Record<string, string> = { role: name };
  const options = optionsOf(to, args, values);
  const sql = action === 'create' ? [`CREATE ROLE :"role" ${options}`] : [];
  if (action === 'update' && options !== '') sql.push(`ALTER ROLE :"role" ${options}`);
  const held = action === 'create' ? [] : change.from.groups;
  sql.push(...memberships(held, to.groups ?? held, values));
  return tellAtOnce(host, args, sql, values);
}

function optionsOf(to: Partial<Role>, args: Named, values: Record<string, string>): string {
  const options = FLAGS.flatMap(([key, word]) =>
    to[key] === undefined ? [] : [to[key] ? word : `NO${word}`],
  );
  if (to.connection_limit !== undefined) options.push(`CONNECTION LIMIT ${to.connection_limit}`);
  if (to.valid_until !== undefined) {
    values['valid_until'] = to.valid_until;
    options.push("VALID UNTIL :'valid_until'");
  }
  const password = args.password ?? args.default_password;
  if (to.password_works !== undefined && password !== undefined) {
    values['verifier'] = verifierOf(password, args);
    options.push("PASSWORD :'verifier'");
  }
  return options.join(' ');
}

function verifierOf(password: string, { name, encrypted }: Named): string {
  if (isVerifier(password)) return password;
  return encrypted === 'md5' ? md5Of(password, name) : scramVerifier(password);
}

function memberships(
  held: readonly string[],
  wanted: readonly string[],
  values: Record<string, string>,
): string[] {
  const grants = wanted
    .filter((group) => !held.includes(group))
    .map((group) => ['GRANT', 'TO', group] as const);
  const revokes = held
    .filter((group) => !wanted.includes(group))
    .map((group) => ['REVOKE', 'FROM', group] as const);
  return [...grants, ...revokes].map(([verb, preposition, group], index) => {
    values[`group${index}`] = group;
    return `${verb} :"group${index}" ${preposition} :"role"`;
  });
}
