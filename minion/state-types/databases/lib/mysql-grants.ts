/** One line of `SHOW GRANTS`, taken apart. */
export interface Grant {
  readonly privileges: readonly string[];
  /** As the line has it, without its quotes: `shop.*`, `*.*`, `my\_shop.orders`. */
  readonly object: string;
  readonly grantOption: boolean;
}

const LINE =
  /^GRANT (?<privileges>.+?) ON (?:TABLE )?(?<database>`(?:[^`]|``)*`|\*)\.(?<table>`(?:[^`]|``)*`|\*) TO (?<rest>.*)$/u;

/** Privileges as a server spells them, in capitals and by one name each. */
const SAME = new Map([
  ['ALL', 'ALL PRIVILEGES'],
  ['REPLICATION CLIENT', 'BINLOG MONITOR'],
]);

/** The grants on objects; those of roles, proxies and routines are no business of ours and left out. */
export function parseGrants(lines: readonly string[]): Grant[] {
  return lines.flatMap((line) => {
    const { privileges, database, table, rest } = LINE.exec(line)?.groups ?? {};
    if (privileges === undefined || database === undefined || table === undefined) return [];
    const object = `${unquoted(database)}.${unquoted(table)}`;
    const grantOption = /\bWITH\b.*\bGRANT OPTION\b/u.test(rest ?? '');
    return [{ privileges: splitPrivileges(privileges), object, grantOption }];
  });
}

/** `SELECT (a, b), insert` as its privileges, canonical and in order. */
export function splitPrivileges(text: string): string[] {
  const parts = text.split(/,(?![^(]*\))/u).map(canonicalPrivilege);
  return [...new Set(parts.filter((part) => part !== ''))].toSorted();
}

export const ALL = 'ALL PRIVILEGES';

/** https://mariadb.com/kb/en/grant/ */
const PRIVILEGES: ReadonlySet<string> = new Set([
  ALL,
  'ALTER',
  'ALTER ROUTINE',
  'BINLOG ADMIN',
  'BINLOG MONITOR',
  'BINLOG REPLAY',
  'CONNECTION ADMIN',
  'CREATE',
  'CREATE ROLE',
  'CREATE ROUTINE',
  'CREATE TABLESPACE',
  'CREATE TEMPORARY TABLES',
  'CREATE USER',
  'CREATE VIEW',
  'DELETE',
  'DELETE HISTORY',
  'DELETE VERSIONING ROWS',
  'DROP',
  'DROP ROLE',
  'EVENT',
  'EXECUTE',
  'FEDERATED ADMIN',
  'FILE',
  'GRANT OPTION',
  'INDEX',
  'INSERT',
  'LOCK TABLES',
  'PROCESS',
  'PROXY',
  'READ ONLY ADMIN',
  'REFERENCES',
  'RELOAD',
  'REPLICA MONITOR',
  'REPLICATION MASTER ADMIN',
  'REPLICATION REPLICA',
  'REPLICATION REPLICA ADMIN',
  'REPLICATION SLAVE',
  'REPLICATION SLAVE ADMIN',
  'SELECT',
  'SET USER',
  'SHOW CREATE ROUTINE',
  'SHOW DATABASES',
  'SHOW VIEW',
  'SHUTDOWN',
  'SLAVE MONITOR',
  'SUPER',
  'TRIGGER',
  'UPDATE',
  'USAGE',
]);

/** Each that ALL stands for. */
export const EACH: readonly string[] = [...PRIVILEGES].filter(
  (name) => name !== ALL && name !== 'GRANT OPTION',
);

/** Whether some server has a privilege of that name, with or without columns. */
export function isPrivilege(privilege: string): boolean {
  const [name = ''] = privilege.split(' (');
  return PRIVILEGES.has(name);
}

/** Columns keep their case and come in order; words are in capitals. */
function canonicalPrivilege(text: string): string {
  const { words = '', columns } =
    /^(?<words>[^(]*)(?:\((?<columns>.*)\))?$/su.exec(text.trim())?.groups ?? {};
  const name = words.trim().toUpperCase().replaceAll(/\s+/gu, ' ');
  if (columns === undefined) return SAME.get(name) ?? name;
  const names = columns.split(',').map((column) => column.trim().replaceAll('`', ''));
  return `${name} (${names.toSorted().join(', ')})`;
}

function unquoted(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}
