import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import type { Server } from './mysql-fields.ts';
import { askServer } from './mysql.ts';
import { ALL } from './mysql-grants.ts';
import { literal } from './mysql-quote.ts';

interface OnTable extends Server {
  readonly grant: readonly string[];
  readonly database: string;
}

const row = z.tuple([z.string()]);

/** Refuses privileges on a table that is not there, unless making it is among them: a server does so, too. */
export async function needTable(args: OnTable, host: HostView): Promise<void> {
  const { grant, database: object } = args;
  const dot = object.lastIndexOf('.');
  const [database, table] = [object.slice(0, dot), object.slice(dot + 1)];
  if (table === '*' || grant.includes(ALL) || grant.includes('CREATE')) return;
  const where = `table_schema = ${literal(database)} AND table_name = ${literal(table)}`;
  const question = `SELECT JSON_ARRAY(table_name) FROM information_schema.tables WHERE ${where};`;
  if ((await askServer(host, args, row, question)).length > 0) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot give privileges on "${object}": there is no such table`,
    { lacks: [`mysql-database:${database}`] },
  );
}
