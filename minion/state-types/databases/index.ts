import type { StateType } from '../../engine/state-type.ts';
import { mysqlDatabaseAbsent, mysqlDatabasePresent } from './mysql-database.ts';
import { mysqlGrantsAbsent, mysqlGrantsPresent } from './mysql-grants.ts';
import { mysqlUserAbsent, mysqlUserPresent } from './mysql-user.ts';
import { postgresDatabaseAbsent, postgresDatabasePresent } from './postgres-database.ts';
import { postgresPrivilegesPresent } from './postgres-privileges.ts';
import { postgresUserAbsent, postgresUserPresent } from './postgres-user.ts';

/** Database servers and what is in them. */
export const databases: readonly StateType[] = [
  mysqlDatabaseAbsent,
  mysqlDatabasePresent,
  mysqlGrantsAbsent,
  mysqlGrantsPresent,
  mysqlUserAbsent,
  mysqlUserPresent,
  postgresDatabaseAbsent,
  postgresDatabasePresent,
  postgresPrivilegesPresent,
  postgresUserAbsent,
  postgresUserPresent,
];
