import type { Argv } from '../test/hosts/command.ts';
import type { Host } from '../test/hosts/host.ts';

/** Something that somebody breaks by hand, and how to see whether it is whole. */
export interface Drift {
  readonly words: string;
  readonly breakIt: readonly Argv[];
  /** Asked of the host itself, not of Conductor. */
  readonly isWhole: (host: Host) => Promise<boolean>;
}

const SETTINGS = '/srv/projects/hello/code/hello/local_settings.py';
/** Changes the hour of the line that Conductor wrote and adds one of our own. */
const EDIT_CRONTAB = `crontab -u hello -l | sed 's/^\\([0-9]*\\) 3 /\\1 15 /' >/tmp/crontab
echo '5 5 * * 0 /bin/true # by hand' >>/tmp/crontab
crontab -u hello /tmp/crontab`;

/** Eight things that break on servers. `stop` ends the app for good, as whatever runs it is told to. */
export function drifts(stop: Argv): readonly Drift[] {
  return [
    {
      words: 'a line of the settings is edited',
      breakIt: [['sed', '-i', 's/^DEBUG = False/DEBUG = True/', SETTINGS]],
      isWhole: says(['grep', '-x', 'DEBUG = False', SETTINGS], /DEBUG = False/),
    },
    {
      words: 'everybody may read the settings',
      breakIt: [['chmod', '0644', SETTINGS]],
      isWhole: says(['stat', '--format=%a', SETTINGS], /^640$/),
    },
    {
      words: 'the shell of the account is changed',
      breakIt: [['usermod', '--shell', '/usr/sbin/nologin', 'hello']],
      isWhole: says(['getent', 'passwd', 'hello'], /:\/bin\/bash$/),
    },
    {
      words: 'a service is stopped',
      breakIt: [['systemctl', 'stop', 'redis-server']],
      isWhole: says(['systemctl', 'is-active', 'redis-server'], /^active$/),
    },
    {
      words: 'the role loses its privileges on the database',
      breakIt: [asPostgres('REVOKE ALL ON DATABASE hello FROM hello')],
      isWhole: says(asPostgres("SELECT has_database_privilege('hello', 'hello', 'CREATE')"), /^t$/),
    },
    {
      words: 'the virtualenv is deleted',
      breakIt: [['rm', '-rf', '/srv/environments/hello']],
      isWhole: says(
        ['/srv/environments/hello/bin/python', '-c', 'import django; print("here")'],
        /^here$/,
      ),
    },
    {
      words: 'the processes of the app are ended',
      breakIt: [stop],
      isWhole: says(['pgrep', '--uid', 'hello', '--full', 'gunicorn', '--count'], /^[1-9]/),
    },
    {
      words: 'a cron line is edited, and another added that must stay',
      breakIt: [['sh', '-c', EDIT_CRONTAB]],
      isWhole: says(
        ['crontab', '-u', 'hello', '-l'],
        /^\d+ 3 (?:.|\n)*^5 5 \* \* 0 \/bin\/true # by hand$/m,
      ),
    },
  ];
}

function asPostgres(sql: string): Argv {
  return [
    'runuser',
    '-u',
    'postgres',
    '--',
    'psql',
    '--tuples-only',
    '--no-align',
    '--command',
    sql,
  ];
}

function says(argv: Argv, expected: RegExp): Drift['isWhole'] {
  return async (host) => {
    const { stdout } = await host.exec(argv, { allowFailure: true, cwd: '/' });
    return expected.test(stdout.trim());
  };
}
