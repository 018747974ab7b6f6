import test from 'ava';
import { circusWatcher, circusWatcherAbsent } from '../../../minion/state-types/services/circus.ts';
import { contentOf } from '../../../minion/state-types/services/circus-content.ts';
import { watcherSchema } from '../../../minion/state-types/services/circus-schema.ts';
import { parseEndpoint } from '../../../minion/state-types/services/lib/circus.ts';
import { settle } from '../../../minion/state-types/services/lib/settle.ts';
import type { Running } from '../../../minion/state-types/services/lib/settle.ts';
import {
  hasTaken,
  refuseConfiguration,
  replaceConfiguration,
} from '../../../minion/state-types/lib/staged.ts';
import type { Replacement } from '../../../minion/state-types/lib/staged.ts';
import { misunderstanding } from '../../../minion/state-types/network/lib/nginx.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { parseStatus } from '../../../minion/state-types/services/lib/supervisor.ts';
import { nginxSite } from '../../../minion/state-types/network/nginx.ts';
import { portAllocated } from '../../../minion/state-types/network/port.ts';
import { supervisorProgram } from '../../../minion/state-types/services/supervisor.ts';
import {
  contentOf as programOf,
  programSchema,
} from '../../../minion/state-types/services/supervisor-content.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { FakeHost, HostState } from '../../helpers/fake-host.ts';
import { judgedHost } from '../../helpers/judged-host.ts';

const FILE = '/etc/demo/conf.d/shop.conf';

/** A host on which the check of the demo has this exit code. */
function checkedHost(state: HostState, exitCode = 0): FakeHost {
  return judgedHost(state, { exitCode, stderr: 'line 3: unknown word' });
}

function replacement(more: Partial<Replacement> = {}): Replacement {
  return {
    what: 'the demo "shop"',
    directory: '/etc/demo',
    pieces: new Map([[FILE, { kind: 'file', content: 'new', mode: '0640' }]]),
    check: ['demo', '--check'],
    take: () => Promise.resolve(),
    takeBack: () => Promise.resolve(),
    mark: 'demo:shop',
    taken: 'new',
    ...more,
  };
}

test('a configuration is checked whole, replaced, taken and remembered, in this order', async (t) => {
  const host = checkedHost({ files: { [FILE]: 'old' }, registry: { 'demo:shop': 'old' } });
  await replaceConfiguration(
    host,
    replacement({ take: async () => void (await host.run(['take'])) }),
  );
  t.deepEqual(host.ran, [
    'remember demo:shop=null',
    `writeFile ${FILE}`,
    'take',
    'remember demo:shop=new',
  ]);
  t.true(await hasTaken(host, 'demo:shop', 'new'));
});

test('a configuration that the check refuses touches nothing', async (t) => {
  const host = checkedHost({ files: { [FILE]: 'old' }, registry: { 'demo:shop': 'old' } }, 1);
  await t.throwsAsync(replaceConfiguration(host, replacement()), {
    code: 'CHECK_FAILED',
    message:
      'Cannot configure the demo "shop": demo refuses it, so the old configuration stays: line 3: unknown word',
  });
  t.is(host.text(FILE), 'old');
  t.true(await hasTaken(host, 'demo:shop', 'old'));
  t.deepEqual(host.ran, []);
});

test('a plan says what the check refuses, and what the change would lead out of', async (t) => {
  const staging = { ...replacement(), check: ['setpriv', '--reuid=nobody', '--', 'demo'] } as const;
  await t.throwsAsync(refuseConfiguration(staging, checkedHost({}, 1)), {
    code: 'CHECK_FAILED',
    message: /: demo refuses it, so the old configuration stays: line 3: unknown word$/u,
  });
  await t.notThrowsAsync(
    refuseConfiguration({ ...staging, complaint: () => null }, checkedHost({}, 1)),
  );
  const missing = await t.throwsAsync(refuseConfiguration(staging, checkedHost({}, 127)), {
    message: 'Cannot configure the demo "shop": there is no program "demo" on this host',
  });
  t.true(missing instanceof ConductorError && Array.isArray(missing.details['lacks']));
  const elsewhere = checkedHost({ links: { '/etc/demo/conf.d': '/srv/demo' } });
  await t.throwsAsync(refuseConfiguration(staging, elsewhere), {
    message: 'Cannot configure the demo "shop": "/etc/demo/conf.d" is no directory',
  });
  const empty = checkedHost({ statuses: { '/etc/demo': { kind: 'other' } } });
  await t.throwsAsync(refuseConfiguration(staging, empty), { message: /there is no directory/u });
});

function nginxAnswer(stderr: string): string | null {
  return misunderstanding({ exitCode: 1, stdout: '', stderr, raw: new Uint8Array() });
}

test('of a configuration that nginx has understood, a look says nothing more', (t) => {
  const twice =
    'nginx: [alert] could not open error log file\nnginx: [emerg] unknown directive "x"\n2026/11/29 19:18:22 [emerg] 13#13: unknown directive "x"\n';
  t.is(nginxAnswer(twice), 'unknown directive "x"');
  t.is(
    nginxAnswer('nginx: the configuration file syntax is ok\nnginx: [emerg] open() failed'),
    null,
  );
  t.is(nginxAnswer('killed'), 'killed');
});

test('a configuration that is not taken gives way to the old one, and both are told', async (t) => {
  const told: boolean[] = [];
  const failing: Partial<Replacement> = {
    take: () => Promise.reject(new Error('it died')),
    takeBack: ({ wasThere }) => Promise.resolve(void told.push(wasThere)),
  };
  const host = checkedHost({ files: { [FILE]: 'old' }, registry: { 'demo:shop': 'old' } });
  await t.throwsAsync(replaceConfiguration(host, replacement(failing)), {
    code: 'CHECK_FAILED',
    message: 'Cannot configure the demo "shop": it died; the old configuration is back and in use',
  });
  t.is(host.text(FILE), 'old');
  t.true(await hasTaken(host, 'demo:shop', 'old'));

  const fresh = checkedHost({});
  await t.throwsAsync(replaceConfiguration(fresh, replacement(failing)), {
    message: /: it died; it has been taken away again$/,
  });
  t.is(fresh.text(FILE), null);
  t.deepEqual(told, [true, false]);

  const hopeless = checkedHost({ files: { [FILE]: 'old' } });
  const both = { ...failing, takeBack: () => Promise.reject(new Error('so did the old')) };
  await t.throwsAsync(replaceConfiguration(hopeless, replacement(both)), {
    message: /it died; and the old configuration could not be taken up again: so did the old$/,
  });
  t.false(await hasTaken(hopeless, 'demo:shop', 'old'), 'the next run tries again');
});

test('a link at the path of a file is replaced, and put back as a link', async (t) => {
  const host = checkedHost({ links: { [FILE]: '/etc/passwd' }, files: { '/etc/passwd': 'root' } });
  const failing = { take: () => Promise.reject(new Error('no')) };
  await t.throwsAsync(replaceConfiguration(host, replacement(failing)));
  t.is(host.text('/etc/passwd'), 'root');
  t.is(await host.readLink(FILE), '/etc/passwd');
});

/** Answers one after the other; the last for ever. */
function looks(...answers: readonly Running[]): () => Promise<Running> {
  let index = -1;
  return async () => {
    index = Math.min(index + 1, answers.length - 1);
    return answers[index] ?? { pids: [], given_up: null };
  };
}
const up = (...pids: number[]): Running => ({ pids, given_up: null });
const probe = { what: 'the demo "shop"', processes: 2, initDelay: 1 };

test('a program is up when all its processes have lived for a while', async (t) => {
  const host = fakeHost();
  await settle(host, { ...probe, look: looks(up(), up(1), up(1, 2)) });
  t.is(
    host.slept.reduce((sum, time) => sum + time, 0),
    1500,
  );
  await t.throwsAsync(settle(fakeHost(), { ...probe, look: looks(up(1, 2), up(1, 2), up(1, 3)) }), {
    code: 'CHECK_FAILED',
    message: 'the demo "shop" does not stay up: it died within 0.5 s of its start',
  });
  await t.throwsAsync(settle(fakeHost(), { ...probe, look: looks(up(1)) }), {
    message: /does not come up: fewer than 2/,
  });
  const talking = fakeHost({ commands: { 'tail --lines=3 -- /srv/log': 'ImportError: shop\n' } });
  const lost = { pids: [], given_up: 'FATAL' };
  await t.throwsAsync(settle(talking, { ...probe, look: looks(lost), log: '/srv/log' }), {
    message: 'the demo "shop" does not come up: FATAL (ImportError: shop)',
  });
});

test('a log that others can make a link is read as who could', async (t) => {
  const lost = { pids: [], given_up: 'FATAL' };
  const reader = async (owner: object): Promise<unknown> => {
    const host = fakeHost({
      commands: { 'tail --lines=3 -- /srv/shop/log': '' },
      statuses: { '/srv': { kind: 'directory' }, '/srv/shop': { kind: 'directory', ...owner } },
      accounts: { shop: { uid: 1001 } },
    });
    await t.throwsAsync(settle(host, { ...probe, look: looks(lost), log: '/srv/shop/log' }));
    return host.queries.at(-1)?.options;
  };
  t.deepEqual(await reader({ uid: 1001, user: 'shop' }), { user: 'shop' });
  t.deepEqual(await reader({ uid: 1002, user: '1002' }), { user: 'nobody' });
  t.deepEqual(await reader({ mode: '0777' }), { user: 'nobody' });
  t.deepEqual(await reader({}), {});
});

test('the endpoint of circus is read from its configuration', (t) => {
  t.is(
    parseEndpoint(Buffer.from('[circus]\nstats_endpoint = x\nendpoint = ipc:///run/c\n')),
    'ipc:///run/c',
  );
  t.is(parseEndpoint(null), 'tcp://127.0.0.1:5555');
});

const PROCESS = {
  name: 'shop',
  cmd: '/srv/environments/shop/bin/gunicorn',
  args: ['--bind', '127.0.0.1:8000', "it's shop"],
  uid: 'shop',
  working_dir: '/srv/projects/shop',
  env: { MODE: '100% "on"' },
  stdout_stream: { filename: '/srv/logs/shop.log', max_bytes: 1000 },
};

test('a watcher is written as circus reads it', (t) => {
  const args = watcherSchema.parse({ ...PROCESS, rlimits: { nofile: 4096 }, copy_env: true });
  t.is(
    contentOf(args),
    `[watcher:shop]
cmd = /srv/environments/shop/bin/gunicorn
args = --bind 127.0.0.1:8000 'it'"'"'s shop'
numprocesses = 1
uid = shop
working_dir = /srv/projects/shop
copy_env = True
respawn = True
autostart = True
rlimit_nofile = 4096
stdout_stream.class = FileStream
stdout_stream.filename = /srv/logs/shop.log
stdout_stream.max_bytes = 1000

[env:shop]
MODE = 100% "on"
`,
  );
});

test('a program is written as supervisor reads it', (t) => {
  t.is(
    programOf(
      programSchema.parse({
        ...PROCESS,
        env: { MODE: '100% on"s' },
        numprocesses: 2,
        graceful_timeout: 1.5,
      }),
    ),
    `[program:shop]
command = /srv/environments/shop/bin/gunicorn --bind 127.0.0.1:8000 'it'"'"'s shop'
numprocs = 2
process_name = %(program_name)s_%(process_num)d
user = shop
directory = /srv/projects/shop
environment = MODE='100%% on"s'
autostart = True
autorestart = True
stopwaitsecs = 2
stdout_logfile = /srv/logs/shop.log
stdout_logfile_maxbytes = 1000
`,
  );
});

function watcher(more: object): boolean {
  return watcherSchema.safeParse({ ...PROCESS, ...more }).success;
}

function program(more: object): boolean {
  return programSchema.safeParse({ ...PROCESS, env: {}, ...more }).success;
}

test('values that would be read otherwise than they are written are refused', (t) => {
  t.true(watcher({}) && program({}));
  for (const accepts of [watcher, program]) {
    t.false(accepts({ cmd: 'a\nb' }));
    t.false(accepts({ cmd: 'a ; b' }));
    t.false(accepts({ name: 'a]b' }));
    t.false(accepts({ env: { 'A B': 'x' } }));
  }
  t.true(watcher({ env: { A: `it's "so"` } }));
  t.false(program({ env: { A: `it's "so"` } }));
});

test('the status of supervisor is taken apart', (t) => {
  const text = `shop:shop_0     RUNNING   pid 812, uptime 0:00:04
brief           FATAL     Exited too quickly (process log may have details)
unix:///var/run/supervisor.sock no such file
`;
  t.deepEqual(
    parseStatus(text).map(({ group, state, pid }) => [group, state, pid]),
    [
      ['shop', 'RUNNING', 812],
      ['brief', 'FATAL', null],
    ],
  );
});

const STATS =
  '/srv/environments/circus/bin/circusctl --timeout 5 --endpoint tcp://127.0.0.1:5555 --json stats';

test('a watcher is refused before anything is touched if circus does not answer', async (t) => {
  const host = fakeHost({ commands: { [STATS]: { exitCode: 1, stdout: 'Timed out.' } } });
  for (const options of [dryRun, forReal]) {
    await t.throwsAsync(converge(circusWatcher, PROCESS, host, options), {
      code: 'STATE_REFUSED',
      message: /no circusd answers/,
    });
  }
  t.deepEqual(host.ran, []);
});

test('a watcher that runs from its file is left alone, and a process that has ended does not count', async (t) => {
  const args = watcherSchema.parse(PROCESS);
  const stats = (processes: object): HostState => ({
    commands: { [STATS]: JSON.stringify({ status: 'ok', infos: { Shop: processes, other: {} } }) },
    files: { '/etc/circus/conf.d/shop.ini': contentOf(args), [PROCESS.cmd]: '' },
    statuses: { [PROCESS.cmd]: { mode: '0755' }, '/srv/projects/shop': { kind: 'directory' } },
  });
  const dead = judgedHost(stats({ 812: 'No such process (stopped?)' }));
  t.like(await converge(circusWatcher, PROCESS, dead, dryRun), {
    change: { to: { active: true, loaded: true } },
  });
  const alive = judgedHost(stats({ 812: { pid: 812 } }));
  t.like(await converge(circusWatcher, PROCESS, alive, dryRun), {
    change: { to: { loaded: true } },
  });
  t.like(await converge(circusWatcherAbsent, { name: 'shop' }, alive, dryRun), {
    change: { action: 'remove' },
  });
});

const SITE = { name: 'shop', contents: ['server {', '}'] };

test('a site is served when nginx has taken the file and the link stands', async (t) => {
  const text = 'server {\n}\n';
  const there = { files: { '/etc/nginx/sites-available/shop': text } };
  const bare = await converge(nginxSite, SITE, judgedHost(there), dryRun);
  t.like(bare, { change: { action: 'update', to: { enabled: true, loaded: true } } });
  const other = {
    ...there,
    links: { '/etc/nginx/sites-enabled/shop': '/etc/nginx/sites-available/other' },
  };
  t.like(await converge(nginxSite, SITE, judgedHost(other), dryRun), {
    change: { to: { enabled: true } },
  });
  const linked = {
    ...there,
    links: { '/etc/nginx/sites-enabled/shop': '../sites-available/shop' },
  };
  t.deepEqual(await converge(nginxSite, { ...SITE, reload: false }, fakeHost(linked), dryRun), {
    status: 'unchanged',
  });
});

function isSite(more: object): boolean {
  return nginxSite.schema.safeParse({ ...SITE, ...more }).success;
}

test('a site has one source, and a name that is a file name', (t) => {
  t.true(isSite({}));
  t.false(nginxSite.schema.safeParse({ name: 'shop' }).success);
  t.false(isSite({ source: { path: 'x', sha256: 'x', read: () => new Uint8Array() } }));
  t.false(isSite({ name: '../nginx.conf' }));
});

test('a port is remembered under its name', async (t) => {
  const host = fakeHost({ ports: { shop: 20_004 } });
  t.like(await converge(portAllocated, { name: 'shop' }, host, forReal), { status: 'changed' });
  t.deepEqual(host.ran, ['remember port:shop=20004']);
  t.deepEqual(await converge(portAllocated, { name: 'shop' }, host, forReal), {
    status: 'unchanged',
  });
});

test('a process that was down needs no restart once it has been started; one that ran does', (t) => {
  for (const type of [circusWatcher, supervisorProgram]) {
    t.true(type.answers?.({ action: 'create', to: { content: '', active: true } }));
    const from = { content: '', active: false, loaded: true };
    t.true(type.answers?.({ action: 'update', from, to: { active: true } }));
    const running = { ...from, active: true };
    t.false(type.answers?.({ action: 'update', from: running, to: { content: 'x' } }));
  }
});
