import { ConductorError } from '../../../shared/errors.ts';
import type { CertificateStore } from '../certificate-store.ts';
import type { InvitationStore, Store } from '../store.ts';
import { attendanceStore } from './attendance.ts';
import { type Database, openDatabase } from './database.ts';
import { driftStore } from './drifts.ts';
import { getInvitation } from './enrol.ts';
import { type Commit, groupCommits } from './group-commit.ts';
import { intentionStore } from './intentions.ts';
import { jobStore } from './jobs.ts';
import { minionStore } from './minions.ts';
import { reportStore } from './reports.ts';
import { revisionStore } from './revisions.ts';

/** The embedded store: one SQLite file, made when it is absent; `:memory:` for none. */
export async function openSqliteStore(path: string): Promise<Store> {
  const database = await openDatabase(path);
  const { commit, settled } = groupCommits(database);
  return {
    minions: minionStore(database, commit),
    attendance: attendanceStore(database, commit),
    intentions: intentionStore(database, commit),
    invitations: invitationStore(database, commit),
    jobs: jobStore(database, commit),
    reports: reportStore(database, commit),
    drifts: driftStore(database),
    revisions: revisionStore(database),
    certificates: certificateStore(database),
    async close() {
      await settled();
      await database.destroy();
    },
  };
}

function invitationStore(database: Database, commit: Commit): InvitationStore {
  return {
    async add(invitation) {
      const row = {
        tid: invitation.tid,
        secret_hash: invitation.secretHash,
        id_glob: invitation.idGlob,
        groups: JSON.stringify(invitation.groups),
        created_at: invitation.createdAt,
        expires_at: invitation.expiresAt,
        used_by: invitation.usedBy,
      };
      await commit((unit) => unit.insertInto('invitations').values(row).execute());
    },
    get: (tid) => getInvitation(database, tid),
    async removeExpired(before) {
      await commit((unit) =>
        unit.deleteFrom('invitations').where('expires_at', '<', before).execute(),
      );
    },
  };
}

function certificateStore(database: Database): CertificateStore {
  const newest = async () => {
    const query = database.selectFrom('certificates').selectAll().orderBy('serial', 'desc');
    const row = await query.limit(1).executeTakeFirst();
    if (row === undefined) return null;
    return { serial: row.serial, bytes: row.bytes, createdAt: row.created_at };
  };
  return {
    newest,
    async add({ serial, bytes, createdAt }) {
      const last = await newest();
      if (last !== null && last.serial >= serial) {
        const message = `Cannot add certificate serial "${serial}": ${last.serial} is in use`;
        throw new ConductorError('STATE_DIRECTORY_INVALID', message);
      }
      await database
        .insertInto('certificates')
        .values({ serial, bytes, created_at: createdAt })
        .execute();
    },
  };
}
