import type { StateType } from '../../engine/state-type.ts';
import { mysqlDatabaseAbsent, mysqlDatabasePresent } from './mysql-database.ts';
import { mysqlGrantsAbsent, mysqlGrantsPresent } from './mysql-grants.ts';
import { mysqlQueryRun, mysqlQueryRunFile } from './mysql-query.ts';
import { mysqlUserAbsent, mysqlUserPresent } from './mysql-user.ts';
import { postgresDatabaseAbsent, postgresDatabasePresent } from './postgres-database.ts';
import { postgresExtensionAbsent, postgresExtensionPresent } from './postgres-extension.ts';
import { postgresGroupAbsent, postgresGroupPresent } from './postgres-group.ts';
import { postgresHbaRule, postgresHbaRuleAbsent } from './postgres-hba.ts';
import { postgresPrivilegesAbsent, postgresPrivilegesPresent } from './postgres-privileges.ts';
import { postgresSchemaAbsent, postgresSchemaPresent } from './postgres-schema.ts';
import { postgresUserAbsent, postgresUserPresent } from './postgres-user.ts';
import { redisConfig } from './redis.ts';

/** Database servers and what is in them. */
export const databases: readonly StateType[] = [
  mysqlDatabaseAbsent,
  mysqlDatabasePresent,
  mysqlGrantsAbsent,
  mysqlGrantsPresent,
  mysqlQueryRun,
  mysqlQueryRunFile,
  mysqlUserAbsent,
  mysqlUserPresent,
  postgresDatabaseAbsent,
  postgresDatabasePresent,
  postgresExtensionAbsent,
  postgresExtensionPresent,
  postgresGroupAbsent,
  postgresGroupPresent,
  postgresHbaRule,
  postgresHbaRuleAbsent,
  postgresPrivilegesAbsent,
  postgresPrivilegesPresent,
  postgresSchemaAbsent,
  postgresSchemaPresent,
  postgresUserAbsent,
  postgresUserPresent,
  redisConfig,
];
