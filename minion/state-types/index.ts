import type { StateType } from '../engine/state-type.ts';
import { circusWatcher, circusWatcherAbsent } from './circus.ts';
import { cmdRun, cmdWait } from './cmd.ts';
import { cronAbsent, cronPresent } from './cron.ts';
import { djangoMigrated, djangoStatic } from './django.ts';
import { fileAbsent } from './file-absent.ts';
import { fileDirectory } from './file-directory.ts';
import { fileManaged } from './file-managed.ts';
import { fileSymlink } from './file-symlink.ts';
import { gitLatest } from './git.ts';
import { groupAbsent, groupPresent } from './group.ts';
import { mysqlDatabaseAbsent, mysqlDatabasePresent } from './mysql-database.ts';
import { mysqlGrantsAbsent, mysqlGrantsPresent } from './mysql-grants.ts';
import { mysqlUserAbsent, mysqlUserPresent } from './mysql-user.ts';
import { nginxSite, nginxSiteAbsent } from './nginx.ts';
import { pipInstalled } from './pip.ts';
import { pkgInstalled, pkgRemoved } from './pkg.ts';
import { portAllocated } from './port.ts';
import { postgresDatabaseAbsent, postgresDatabasePresent } from './postgres-database.ts';
import { postgresPrivilegesPresent } from './postgres-privileges.ts';
import { postgresUserAbsent, postgresUserPresent } from './postgres-user.ts';
import { serviceDead, serviceRunning } from './service.ts';
import { sshAuthAbsent, sshAuthPresent } from './ssh-auth.ts';
import { supervisorProgram, supervisorProgramAbsent } from './supervisor.ts';
import { userAbsent, userPresent } from './user.ts';
import { virtualenvManaged } from './virtualenv.ts';
import { waitHttp, waitPort } from './wait.ts';

const ALL: readonly StateType[] = [
  circusWatcher,
  circusWatcherAbsent,
  cmdRun,
  cmdWait,
  cronAbsent,
  cronPresent,
  djangoMigrated,
  djangoStatic,
  fileAbsent,
  fileDirectory,
  fileManaged,
  fileSymlink,
  gitLatest,
  groupAbsent,
  groupPresent,
  mysqlDatabaseAbsent,
  mysqlDatabasePresent,
  mysqlGrantsAbsent,
  mysqlGrantsPresent,
  mysqlUserAbsent,
  mysqlUserPresent,
  nginxSite,
  nginxSiteAbsent,
  pipInstalled,
  pkgInstalled,
  pkgRemoved,
  portAllocated,
  postgresDatabaseAbsent,
  postgresDatabasePresent,
  postgresPrivilegesPresent,
  postgresUserAbsent,
  postgresUserPresent,
  serviceDead,
  serviceRunning,
  sshAuthAbsent,
  sshAuthPresent,
  supervisorProgram,
  supervisorProgramAbsent,
  userAbsent,
  userPresent,
  virtualenvManaged,
  waitHttp,
  waitPort,
];

/** Every state type, by the name that state files use. */
export const stateTypes: ReadonlyMap<string, StateType> = new Map(
  ALL.map((type) => [type.name, type]),
);
