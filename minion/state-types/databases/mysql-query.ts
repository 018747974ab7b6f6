import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { absolutePath } from '../lib/fields.ts';
import { refuseParents } from '../lib/ownership.ts';
import { parentsOf } from '../lib/resources.ts';
import { askServer, runScript } from './lib/mysql.ts';
import { databaseField, serverFields, serverNeeds } from './lib/mysql-fields.ts';
import { literal } from './lib/mysql-quote.ts';

/** That the statements were carried out; that they had to be is for the guards to say. */
type Ran = { ran: boolean };

const schema = z
  .strictObject({
    name: z.string().min(1).describe('A title of your own; the statements if `query` is absent'),
    query: z
      .string()
      .min(1)
      .exactOptional()
      .describe('One or several statements of SQL, each ended by a semicolon but the last'),
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
  })
  .describe(
    'Carries out statements of SQL in a MariaDB or MySQL database. They have no wanted state of their own, so they need a ' +
      'guard: `unless`, `onlyif`, `creates`, `onchanges`, or `always: true`. They reach the client on its standard input.',
  );
type Args = z.infer<typeof schema>;

export const mysqlQueryRun = defineState<Args, Ran>({
  name: 'mysql_query.run',
  schema,
  example: `old sessions go:
  mysql_query.run:
    database: shop
    query: DELETE FROM django_session WHERE expire_date < now()
    always: true
`,
  needsGuard: true,
  oneShot: true,
  needs: (args) => [
    ...serverNeeds(args),
    `mysql-database:${args.database}`,
    ...(args.output === undefined ? [] : parentsOf(args.output)),
  ],
  async read({ output, overwrite }, host) {
    const isThere = output !== undefined && (await host.status(output)) !== null;
    return { ran: isThere && !overwrite };
  },
  want: () => ({ ran: true }),
  refuses: (_change: Change<Ran>, args, host) => needPlaces(args, host),
  apply: (_change, args, host) => run(args, host),
  async react(args, host) {
    await needPlaces(args, host);
    await run(args, host);
    return 'ran';
  },
});

async function run(args: Args, host: Host): Promise<void> {
  const { name, query = name, database, output } = args;
  const sql = query.trimEnd().endsWith(';') ? query : `${query};`;
  const answer = await runScript(host, args, { sql, database });
  if (output !== undefined) {
    await host.writeFile(output, answer, { user: 'root', group: 'root', mode: '0600' });
  }
}

/** Where its statements are carried out, and where what the server answers goes. */
async function needPlaces(args: Args, host: HostView): Promise<void> {
  const { output, check_db_exists } = args;
  if (output !== undefined) await refuseParents({ name: output, makedirs: false }, host);
  if (check_db_exists) await needDatabase(args, host);
}

async function needDatabase(args: Args, host: HostView): Promise<void> {
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
