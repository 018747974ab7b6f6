import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { z } from 'zod';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import type { Fleet } from '../hosts/hosts.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { ensurePackage } from './package.ts';
import { STRACE } from './trace/calls.ts';
import { watchWrites } from './trace/inotify.ts';
import { TRACED, writesIn } from './trace/writes.ts';

/** A dry run of the whole tree that comes with Conductor, on a host that has nothing of it, watched by the kernel. */

const onHosts = await testOnHosts(test);
let fleet: Fleet | null = null;

test.after.always(async () => fleet?.close());

const EKNIGHT = `eknights:
  hello:
    repo: git://conductor/hello.git
    ref: main
    domain: hello.demo
    secret_key: for-tests-only-1
    database: {engine: postgres, password: for-tests-only-2}
`;
const DRY_RUN = [
  ...'minion apply --tree /srv/tree --dry-run --json'.split(' '),
  ...'--group conductor --group database --group appserver'.split(' '),
];
const STRACED = [...STRACE, '--seccomp-bpf', '-o', '|cat >&2', `--trace=${TRACED}`];

/** What daemons that are only asked note down for themselves, and files without a name. */
const OTHERS = [
  // apt's, gone with their process.
  /^\/tmp\/#\d+$/u,
  // PostgreSQL remembers its own catalogs when somebody connects first.
  /^\/var\/lib\/postgresql\/\d+\/main\/(?:global|base\/\d+)\/pg_internal\.init(?:\.\d+)?$/u,
  // That it was asked whether a site answers.
  /^\/var\/log\/nginx\/access\.log$/u,
];

const reportSchema = z.object({
  outcomes: z.array(z.object({ id: z.string(), status: z.string() })),
});

const TRACE = `
7 vfork( <unfinished ...>
8 openat(AT_FDCWD</srv>, "x", O_RDONLY) = 3</srv/x>
7 <... vfork resumed>) = 8
8 openat(AT_FDCWD</srv>, "/dev/null", O_WRONLY|O_CREAT, 0666) = 3</dev/null>
8 openat(AT_FDCWD</srv>, "/dev/stderr", O_WRONLY) = 3<pipe:[77]>
8 openat(AT_FDCWD</srv>, "/tmp", O_RDWR|O_EXCL|O_TMPFILE, 0600) = 5</tmp/#31>(deleted)
8 mkdir("/srv/there", 0777) = -1 EEXIST (File exists)
7 kill(8, SIGTERM) = 0
7 kill(1, 0) = 0
8 unshare(CLONE_NEWNS) = 0
8 mount("none", "/", NULL, MS_REC|MS_PRIVATE, NULL) = 0
8 mount("conductor", "/etc/nginx", "tmpfs", 0, NULL) = 0
8 mount("/srv", "/srv", 0x55665039c280, MS_BIND, NULL) = 0
8 mount("ext4", "/srv", 0x55665039c280, MS_RDONLY|MS_NOSUID|MS_REMOUNT|MS_BIND, NULL) = 0
8 bind(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="/etc/nginx/x"}, 110) = 0
8 chdir("/etc/nginx") = 0
8 vfork() = 9
9 mkdir("own", 0777) = 0
9 symlinkat("/elsewhere", AT_FDCWD</etc/nginx>, "own/link") = 0
9 fchown(4</etc/nginx/own>, 0, 0) = 0
`;

test('what a trace shows of looking and of copies in memory is told from what writes', (t) => {
  t.deepEqual(writesIn(TRACE), []);
  const writing = [
    '5 openat(AT_FDCWD</srv>, "x", O_WRONLY|O_CREAT, 0666) = 3</srv/x>',
    '5 mkdir("new", 0777) = 0',
    '8 unlinkat(4</srv>, "x", 0) = 0',
    '8 rename("/etc/nginx/own", "/srv/x") = 0',
    '8 symlinkat("/etc/nginx/x", AT_FDCWD</srv>, "link") = 0',
    '8 ftruncate(3</srv/x>, 0) = 0',
    '7 kill(1, SIGHUP) = 0',
    '8 mount("/srv", "/mnt", NULL, MS_BIND, NULL) = 0',
    '5 bind(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="/run/x"}, 9) = 0',
    '5 sethostname("x", 1) = 0',
    '5 io_uring_setup(8, {}) = 3',
  ];
  for (const call of writing) t.deepEqual(writesIn(`${TRACE}${call}\n`), [call.slice(2)]);
  t.deepEqual(writesIn(`${TRACE}7 mkdir("/etc/nginx/x", 0777) = 0\n`).length, 1, 'not its own');
  t.deepEqual(writesIn('7 unlink("/srv/x" <unfinished ...>\n').length, 1, 'not ended yet');
  t.deepEqual(writesIn('7 kill(99, SIGINT) = 0\n', [99]), []);
});

onHosts(
  'a dry run of the whole shipped tree writes nothing, nor does anybody for it',
  async (t) => {
    t.timeout(600_000);
    fleet = await openFleet({ log: t.log });
    const [deb, host] = await Promise.all([
      ensurePackage(),
      fleet.boot({ name: 'bare', image: 'full' }),
    ]);
    await prepare(host, deb);
    const watch = await watchWrites(host);
    const { stdout, stderr } = await host.exec(['strace', ...STRACED, ...DRY_RUN], {
      timeoutMs: 300_000,
    });
    await sleep(500);
    const seen = watch.stop();
    const { outcomes } = reportSchema.parse(JSON.parse(stdout));
    const having = (...statuses: readonly string[]) =>
      outcomes.filter(({ status }) => statuses.includes(status)).length;
    t.is(having('would-change', 'unchanged', 'unknown', 'skipped'), outcomes.length);
    t.true(having('would-change') > 20, `${having('would-change')} states would change`);
    t.true(stderr.includes('/var/lib/dpkg/'), 'the trace saw the run look at the host');
    t.deepEqual(writesIn(stderr), []);
    t.true(watch.directories > 1000, `${watch.directories} directories are watched`);
    t.deepEqual(
      seen.filter((path) => !OTHERS.some((pattern) => pattern.test(path))),
      [],
    );
  },
);

onHosts('and both watches would have seen a file that is gone again', async (t) => {
  const [host] = fleet?.hosts ?? [];
  if (host === undefined) throw new Error('there is no host');
  const watch = await watchWrites(host);
  const { stderr } = await host.exec([
    'strace',
    ...STRACED,
    'sh',
    '-c',
    'echo x >/etc/brief && rm /etc/brief',
  ]);
  await sleep(500);
  t.regex(writesIn(stderr).join('\n'), /^openat[^\n]*\/etc\/brief>\nunlinkat[^\n]*\/etc\/brief/u);
  t.true(watch.stop().includes('/etc/brief'));
});

async function prepare(host: Host, deb: string): Promise<void> {
  await host.exec(['/bin/bash', '-ec', "systemctl stop --all '*.timer'"]);
  await host.copyIn(deb, '/root/conductor.deb');
  await host.exec(['apt-get', 'install', '--yes', '--quiet=2', '/root/conductor.deb'], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  for (const part of ['states', 'pillars', 'templates'])
    await host.copyIn(part, `/srv/tree/${part}`);
  await host.write('/srv/tree/pillars/eknights/hello.yaml', EKNIGHT);
}
