import { execa } from 'execa';
import { z } from 'zod';
import type { Host } from '../test/hosts/host.ts';
import type { Narrator } from './narrate.ts';

/** The two machines of the demo. */
export interface Site {
  readonly conductor: Host;
  readonly appserver: Host;
}

const PACKAGE = '/root/conductor.deb';
const CALM = { DEBIAN_FRONTEND: 'noninteractive' };

/** Installs the package as an administrator would. */
export async function install(host: Host, deb: string, narrator: Narrator): Promise<void> {
  await host.copyIn(deb, PACKAGE);
  const argv = [
    'apt-get',
    'install',
    '--yes',
    '--quiet=2',
    '--option=Dpkg::Use-Pty=0',
    PACKAGE,
  ] as const;
  await narrator.show(host, argv, { env: CALM });
}

const invitation = z.object({ joinString: z.string() });

/** Makes a host a minion of the master, by a join string that works once. */
export async function join(
  host: Host,
  groups: readonly string[],
  { conductor }: Site,
  narrator: Narrator,
): Promise<void> {
  const flags = groups.flatMap((group) => ['--group', group]);
  const asked = await narrator.show(conductor, [
    'master',
    'keys',
    'invite',
    '--id',
    host.name,
    ...flags,
    '--json',
  ]);
  const { joinString } = invitation.parse(JSON.parse(asked.stdout));
  await narrator.show(host, ['minion', 'join'], { input: `${joinString}\n` });
  await narrator.show(host, ['systemctl', 'enable', '--now', '--quiet', 'conductor-minion']);
}

const GIT_DAEMON = `[Unit]
Description=Serves the git repositories of the demo

[Service]
User=git
ExecStart=/usr/bin/git daemon --base-path=/srv/git --export-all --reuseaddr

[Install]
WantedBy=multi-user.target
`;

/** Publishes demo/app as git://conductor/hello.git, with one commit. */
export async function serveApp({ conductor }: Site): Promise<void> {
  const { stdout: files } = await execa('git', ['ls-files', '-z', '--', 'demo/app']);
  for (const file of files.split('\0').filter((name) => name !== '')) {
    await conductor.copyIn(file, `/root/hello/${file.slice('demo/app/'.length)}`);
  }
  const author = ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost'];
  const git = async (...args: readonly string[]) =>
    conductor.exec(['git', '-C', '/root/hello', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git(...author, 'commit', '--quiet', '--message=A first eKnight');
  await conductor.exec(['useradd', '--system', '--create-home', '--home-dir', '/srv/git', 'git']);
  await conductor.exec(['git', 'clone', '--quiet', '--bare', '/root/hello', '/srv/git/hello.git']);
  await conductor.exec(['chown', '--recursive', 'git:git', '/srv/git']);
  await conductor.write('/etc/systemd/system/git-daemon.service', GIT_DAEMON);
  await conductor.exec(['systemctl', 'enable', '--now', '--quiet', 'git-daemon']);
}

/** Whether a host gets packages from PyPI. */
export async function reachesPyPI(host: Host): Promise<boolean> {
  const argv = [
    'python3',
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--dest',
    '/tmp/probe',
    'circus',
  ] as const;
  const { exitCode } = await host.exec([...argv], {
    allowFailure: true,
    timeoutMs: 60_000,
    env: { PIP_DEFAULT_TIMEOUT: '10', PIP_RETRIES: '1' },
  });
  return exitCode === 0;
}
