import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { MAY_HOLD_SECRET, absolutePath } from '../lib/fields.ts';
import { refuseParents } from '../lib/ownership.ts';
import { parentsOf, pathAndParents } from '../lib/resources.ts';
import { askServer, runScript } from './lib/mysql.ts';
import { databaseField, serverFields, serverNeeds } from './lib/mysql-fields.ts';
import { literal } from './lib/mysql-quote.ts';

/** That the statements were carried out; that they had to be is for the guards to say. */
type Ran = { ran: boolean };

const fields = {
  database: databaseField.describe('The database to carry them out in'),
  output: absolutePath
    .exactOptional()
    .describe(
      'A file for what the server answers: one row a line, its columns separated by tabs; readable by root only',
    ),
  overwrite: z
    .boolean()
    .default(true)
    .describe('`false` does nothing when the file of `output` is there already'),
  check_db_exists: z
    .boolean()
    .default(true)
    .describe('Whether it fails with words of its own if there is no such database'),
  always: z
    .boolean()
    .default(false)
    .describe('`true` says that it is meant to run every time, without a guard'),
  ...serverFields,
};

const schema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe('A title of your own; the statements if `query` is absent')
      .meta(MAY_HOLD_SECRET),
    query: z
      .string()
      .min(1)
      .exactOptional()
      .describe('One or several statements of SQL, each ended by a semicolon but the last'),
    ...fields,
  })
  .describe(
    'Carries out statements of SQL in a MariaDB or MySQL database. They have no wanted state of their own, so they need a ' +
      'guard: `unless`, `onlyif`, `creates`, `onchanges`, or `always: true`. They reach the client on its standard input.',
  );
type Args = z.infer<typeof schema>;

const fileSchema = z
  .strictObject({
    name: z.string().min(1).describe('A title of your own'),
    query_file: z
      .union([
        z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }),
        z.string().regex(/^\/[^\0\n]*$/u, {
          error: 'expected a file below templates/, or a path on the host from the root',
        }),
      ])
      .describe(
        'The statements: a file below templates/, rendered if it ends in .hbs, or one on the host',
      ),
    ...fields,
  })
  .describe(
    'Carries out the statements of SQL in a file in a MariaDB or MySQL database. As with `mysql_query.run` a guard says ' +
      'when. A dump of a database is such a file.',
  );
type FileArgs = z.infer<typeof fileSchema>;
/** What both are carried out by. */
type Common = Omit<FileArgs, 'name' | 'query_file'>;

const common = {
  needsGuard: true,
  oneShot: true,
  async read({ output, overwrite }: Common, host: HostView): Promise<Ran> {
    const isThere = output !== undefined && (await host.status(output)) !== null;
    return { ran: isThere && !overwrite };
  },
  want: () => ({ ran: true }),
} as const;

export const mysqlQueryRun = defineState<Args, Ran>({
  ...common,
  name: 'mysql_query.run',
  schema,
  example: `old sessions go:
  mysql_query.run:
    database: shop
    query: DELETE FROM django_session WHERE expire_date < now()
    always: true
`,
  needs: needsOf,
  refuses: (_change: Change<Ran>, args, host) => needPlaces(args, host),
  apply: (_change, { name, query = name, ...args }, host) => run(query, args, host),
  async react({ name, query = name, ...args }, host) {
    await needPlaces(args, host);
    await run(query, args, host);
    return 'ran';
  },
});

export const mysqlQueryRunFile = defineState<FileArgs, Ran>({
  ...common,
  name: 'mysql_query.run_file',
  schema: fileSchema,
  example: `the tables of the shop:
  mysql_query.run_file:
    database: shop
    query_file: /srv/projects/shop/code/schema.sql
    unless: mariadb --batch -e 'SELECT 1 FROM shop.orders LIMIT 1'
`,
  treeFiles: ['query_file'],
  needs: ({ query_file: file, ...args }) => [
    ...needsOf(args),
    ...(typeof file === 'string' ? pathAndParents(file) : []),
  ],
  async refuses(_change, args, host) {
    await queryIn(args, host);
    await needPlaces(args, host);
  },
  apply: async (_change, args, host) => run(await queryIn(args, host), args, host),
  async react(args, host) {
    await needPlaces(args, host);
    await run(await queryIn(args, host), args, host);
    return 'ran';
  },
});

function needsOf(args: Common): string[] {
  return [
    ...serverNeeds(args),
    `mysql-database:${args.database}`,
    ...(args.output === undefined ? [] : parentsOf(args.output)),
  ];
}

async function queryIn({ query_file: file }: FileArgs, host: HostView): Promise<string> {
  if (typeof file !== 'string') return Buffer.from(file.read()).toString();
  const bytes = await host.readFile(file);
  if (bytes !== null) return Buffer.from(bytes).toString();
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot read the statements "${file}": there is no such file`,
    { lacks: [`path:${file}`] },
  );
}

async function run(query: string, args: Common, host: Host): Promise<void> {
  const { database, output } = args;
  const sql = query.trimEnd().endsWith(';') ? query : `${query};`;
  const answer = await runScript(host, args, { sql, database });
  if (output !== undefined) {
    await host.writeFile(output, answer, { user: 'root', group: 'root', mode: '0600' });
  }
}

/** Where its statements are carried out, and where what the server answers goes. */
async function needPlaces(args: Common, host: HostView): Promise<void> {
  const { output, check_db_exists } = args;
  if (output !== undefined) await refuseParents({ name: output, makedirs: false }, host);
  if (check_db_exists) await needDatabase(args, host);
}

async function needDatabase(args: Common, host: HostView): Promise<void> {
  const { database } = args;
  const sql = `SELECT JSON_QUOTE(SCHEMA_NAME) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${literal(database)};`;
  const found = await askServer(host, args, z.string(), sql);
  if (found.length > 0) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot query database "${database}": there is no such database`,
    { lacks: [`mysql-database:${database}`] },
  );
}
