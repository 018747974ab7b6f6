import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { followLinks } from '../lib/ownership.ts';
import { refuseOpen } from '../lib/secrecy.ts';
import { replaceConfiguration } from '../lib/staged.ts';
import { parseHba, writeHba } from './lib/hba.ts';
import type { HbaRule } from './lib/hba.ts';
import { askServer, forgetAnswers, tellServer } from './lib/postgres.ts';
import { serverNeeds } from './lib/postgres-fields.ts';
import type { Connection, Server } from './lib/postgres-fields.ts';
import { SECRET_OPTIONS, fields, optionsIn, presentSchema } from './postgres-hba-schema.ts';
import type { Args } from './postgres-hba-schema.ts';

type Rule = {
  order: number;
  type: string;
  database: readonly string[];
  role: readonly string[];
  address: string | null;
  method: string;
  options: Readonly<Record<string, string>>;
  /** The server has been told to take the file as it is. */
  loaded: boolean;
};
type Named = Connection & { name: string };

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
  async want(args, host) {
    if (SECRET_OPTIONS.some((name) => name in args.options)) {
      const path = await pathOf(args, host);
      refuseOpen(path, await host.status(await followLinks(path, host)));
    }
    return { ...ruleOf(args), loaded: true };
  },
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
    const rule = await read(args, host);
    if (rule !== null) return { ...rule, options: blanked(rule.options) };
    return isPending ? { ...NO_RULE, loaded: false } : null;
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
  options: {},
  order: 0,
} as const;

async function read(args: Named, host: HostView): Promise<Rule | null> {
  const path = await pathOf(args, host);
  const bytes = await host.readFile(path);
  const rule = parseHba(Buffer.from(bytes ?? '').toString()).rules.get(args.name);
  if (rule === undefined) return null;
  const { name, options, ...attributes } = rule;
  const isLoaded = (await host.recall(markOf(path))) !== PENDING;
  return { ...attributes, options: optionsIn(options), loaded: isLoaded };
}

function optionWords(options: Rule['options']): string[] {
  return Object.entries(options).map(([name, value]) => `${name}=${value}`);
}

/** The server may repeat them, whole or one by one, when it complains. */
function secretsIn(options: Rule['options']): string[] {
  const given = SECRET_OPTIONS.flatMap((name) => options[name] ?? []);
  return [...given, ...given.flatMap((value) => value.split(','))].filter((text) => text !== '');
}

/** For those to whom no schema says what is secret. */
function blanked(options: Rule['options']): Rule['options'] {
  const secrets = SECRET_OPTIONS.filter((name) => name in options).map((name) => [name, '***']);
  return { ...options, ...Object.fromEntries(secrets) };
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
  else wanted.set(args.name, { name: args.name, ...rule, options: optionWords(rule.options) });
  const { mode, user, group } = status;
  const content = writeHba({ rules: wanted, others });
  const secrets = secretsIn(rule?.options ?? {});
  const take = (): Promise<void> => reload(args, { path, secrets }, host);
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
async function reload(
  args: Named,
  { path, secrets }: { readonly path: string; readonly secrets: readonly string[] },
  host: Host,
): Promise<void> {
  const server = serverOf(args);
  await forgetAnswers(host);
  const question = { subject: 'mistakes', sql: MISTAKES, answer: mistakes };
  const found = await askServer(host, server, question);
  if (found.length > 0) {
    const told = found.map(({ line, error }) => `line ${line}: ${error}`).join('; ');
    const shown = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), told);
    throw new ConductorError('CHECK_FAILED', `PostgreSQL cannot read ${path}: ${shown}`);
  }
  await tellServer(host, server, ['SELECT pg_reload_conf()']);
}
