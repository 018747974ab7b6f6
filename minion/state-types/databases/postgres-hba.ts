import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { singleLine } from '../lib/fields.ts';
import { replaceConfiguration } from '../lib/staged.ts';
import { parseHba, writeHba } from './lib/hba.ts';
import type { HbaRule } from './lib/hba.ts';
import { askServer, forgetAnswers, tellServer } from './lib/postgres.ts';
import { connectionFields, serverNeeds } from './lib/postgres-fields.ts';
import type { Connection, Server } from './lib/postgres-fields.ts';

type Rule = {
  order: number;
  type: string;
  database: readonly string[];
  role: readonly string[];
  address: string | null;
  method: string;
  options: readonly string[];
  /** The server has been told to take the file as it is. */
  loaded: boolean;
};
type Named = Connection & { name: string };

const TYPES = ['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc'] as const;

const words = z
  .union([z.string().transform((text) => [text]), z.array(z.string()).min(1)])
  .refine((names) => names.every((name) => /^[^\0\r\n"#]{1,200}$/u.test(name)), {
    error: 'expected a name or a list of names',
  });
const { db_host, ...local } = connectionFields;
const fields = {
  name: singleLine
    .refine((name) => /^\S(?:.{0,98}\S)?$/u.test(name), { error: 'expected a short title' })
    .describe('A title of your own, which stands behind the rule in the file'),
  ...local,
};

const presentSchema = z
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
      .exactOptional()
      .describe('Where the client is: a network, a name, all, samehost or samenet'),
    method: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/u, { error: 'expected a method such as scram-sha-256 or reject' })
      .describe('How the client proves who it is, such as scram-sha-256, peer, cert or reject'),
    options: z
      .record(z.string().regex(/^\w+$/u), z.string().regex(/^[^\s"#]+$/u))
      .transform((options) => Object.entries(options).map(([name, value]) => `${name}=${value}`))
      .or(z.array(z.string().regex(/^\w+=[^\s"#]+$/u)))
      .default([])
      .describe('Options of the method'),
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
type Args = z.infer<typeof presentSchema>;

export const postgresHbaRule = defineState<Args, Rule>({
  name: 'postgres_hba.rule',
  schema: presentSchema,
  example: `application servers reach the shop:
  postgres_hba.rule:
    type: hostssl
    database: shop
    role: shop
    address: 10.0.0.0/8
    method: scram-sha-256
`,
  needs: serverNeeds,
  read,
  want: (args) => ({ ...ruleOf(args), loaded: true }),
  apply: (_change, args, host) => replace(args, ruleOf(args), host),
});

export const postgresHbaRuleAbsent = defineState<Named, Rule>({
  name: 'postgres_hba.rule_absent',
  schema: z
    .strictObject(fields)
    .describe(
      'No rule of that title in pg_hba.conf. Only rules that were declared have a title; others stay.',
    ),
  example: `nobody comes from the old network:
  postgres_hba.rule_absent:
    name: old network
`,
  needs: serverNeeds,
  async read(args, host) {
    const path = await pathOf(args, host);
    const isPending = (await host.recall(markOf(path))) === PENDING;
    return (await read(args, host)) ?? (isPending ? { ...NO_RULE, loaded: false } : null);
  },
  want: () => null,
  apply: (_change: Change<Rule>, args, host) => replace(args, null, host),
});

function ruleOf({
  type,
  database,
  role,
  address,
  method,
  options,
  order,
}: Args): Omit<Rule, 'loaded'> {
  return { type, database, role, address: address ?? null, method, options, order };
}

function serverOf(args: Named): Server {
  return { ...args, maintenance_db: 'postgres' };
}

async function pathOf(args: Named, host: HostView): Promise<string> {
  return askServer(host, serverOf(args), {
    subject: 'hba_file',
    sql: `SELECT to_json(current_setting('hba_file'));`,
    answer: z.string().startsWith('/'),
  });
}

const PENDING = 'pending';

function markOf(path: string): string {
  return `postgres_hba:${path}`;
}

/** What the server may still go by if a run has died before it told it to read the file again. */
const NO_RULE = {
  type: '',
  database: [],
  role: [],
  address: null,
  method: '',
  options: [],
  order: 0,
} as const;

async function read(args: Named, host: HostView): Promise<Rule | null> {
  const path = await pathOf(args, host);
  const bytes = await host.readFile(path);
  const rule = parseHba(Buffer.from(bytes ?? '').toString()).rules.get(args.name);
  if (rule === undefined) return null;
  const { name, ...attributes } = rule;
  return { ...attributes, loaded: (await host.recall(markOf(path))) !== PENDING };
}

async function replace(args: Named, rule: Omit<Rule, 'loaded'> | null, host: Host): Promise<void> {
  const path = await pathOf(args, host);
  const bytes = await host.readFile(path);
  const status = await host.status(path);
  if (bytes === null || status === null) {
    throw new ConductorError('STATE_REFUSED', `Cannot change "${path}": there is no such file`);
  }
  const { rules, others } = parseHba(Buffer.from(bytes).toString());
  const wanted = new Map<string, HbaRule>(rules);
  if (rule === null) wanted.delete(args.name);
  else wanted.set(args.name, { name: args.name, ...rule });
  const { mode, user, group } = status;
  const content = writeHba({ rules: wanted, others });
  const take = (): Promise<void> => reload(args, path, host);
  await replaceConfiguration(host, {
    what: `the rule "${args.name}" of ${path}`,
    directory: posix.dirname(path),
    pieces: new Map([[path, { kind: 'file', content, mode, user, group }]]),
    check: null,
    take,
    takeBack: take,
    mark: markOf(path),
    taken: null,
    pending: PENDING,
  });
}

const MISTAKES = `SELECT coalesce(json_agg(json_build_object('line', line_number, 'error', error)), '[]')
  FROM pg_hba_file_rules WHERE error IS NOT NULL;`;
const mistakes = z.array(z.strictObject({ line: z.int(), error: z.string() }));

/** The server itself says whether it can read the file, then takes it: a reload says nothing. */
async function reload(args: Named, path: string, host: Host): Promise<void> {
  const server = serverOf(args);
  await forgetAnswers(host);
  const question = { subject: 'mistakes', sql: MISTAKES, answer: mistakes };
  const found = await askServer(host, server, question);
  if (found.length > 0) {
    const told = found.map(({ line, error }) => `line ${line}: ${error}`).join('; ');
    throw new ConductorError('CHECK_FAILED', `PostgreSQL cannot read ${path}: ${told}`);
  }
  await tellServer(host, server, ['SELECT pg_reload_conf()']);
}
