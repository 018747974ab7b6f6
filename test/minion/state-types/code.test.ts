import test from 'ava';
import {
  djangoMigrated,
  djangoStatic,
  parseStale,
  parseUnapplied,
} from '../../../minion/state-types/code/django.ts';
import { dockerContainerRunning } from '../../../minion/state-types/code/docker-container.ts';
import { LOOKING } from '../../../minion/state-types/code/lib/django.ts';
import { parseProblems } from '../../../minion/state-types/code/django-check.ts';
import { gitLatest } from '../../../minion/state-types/code/git.ts';
import {
  networkCommand,
  parseLsRemote,
  withoutPassword,
} from '../../../minion/state-types/code/lib/git-remote.ts';
import { clearStaleLocks } from '../../../minion/state-types/code/lib/git-locks.ts';
import { lastWords } from '../../../minion/state-types/lib/ask.ts';
import { REQUIREMENTS_SCRIPT } from '../../../minion/state-types/code/lib/requirements-script.ts';
import { pipInstalled } from '../../../minion/state-types/code/pip.ts';
import { virtualenvManaged } from '../../../minion/state-types/code/virtualenv.ts';
import { canonicalName } from '../../../minion/state-types/code/lib/git-config-text.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { refuseOthersProgram } from '../../../minion/state-types/code/lib/others-program.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { Answer, HostState } from '../../helpers/fake-host.ts';

const OLD = '1'.repeat(40);
const NEW = '2'.repeat(40);

test('a branch goes before a tag, and a tag stands for its commit', (t) => {
  const refs = `${OLD}\trefs/heads/v1\n${NEW}\trefs/tags/v1\n`;
  t.deepEqual(parseLsRemote(refs, 'v1'), { sha: OLD, kind: 'branch', name: 'v1' });
  const tag = `${OLD}\trefs/tags/v1\n${NEW}\trefs/tags/v1^{}\n`;
  t.deepEqual(parseLsRemote(tag, 'v1'), { sha: NEW, kind: 'tag', name: 'v1' });
  const head = `ref: refs/heads/feature/x\tHEAD\n${NEW}\tHEAD\n`;
  t.deepEqual(parseLsRemote(head, 'HEAD'), { sha: NEW, kind: 'branch', name: 'feature/x' });
  t.is(parseLsRemote('', 'v1'), null);
});

test('what logs in is taken out of an address, the name of an ssh account is not', (t) => {
  t.is(withoutPassword('https://me:s%2Fcret@git.example/a.git'), 'https://git.example/a.git');
  t.is(withoutPassword('https://ghp_token@git.example/a.git'), 'https://git.example/a.git');
  t.is(withoutPassword('git@git.example:a.git'), 'git@git.example:a.git');
  t.is(withoutPassword('/srv/git/a.git'), '/srv/git/a.git');
});

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----';

function hiddenIn(name: string): readonly string[] | undefined {
  return gitLatest.secretsIn?.({ name });
}

test('a password or token in an address is told, so that it is shown nowhere', (t) => {
  t.deepEqual(hiddenIn('https://me:s%2Fcret@git.example/a.git'), ['s%2Fcret', 's/cret']);
  t.deepEqual(hiddenIn('https://ghp_0123456789abcdef@git.example/a.git'), [
    'ghp_0123456789abcdef',
    'ghp_0123456789abcdef',
  ]);
  t.deepEqual(hiddenIn('https://me:100%@git.example/a.git'), ['100%', '100%']);
  for (const open of ['https://dana@git.example/a.git', 'git@git.example:a.git', '/srv/a.git'])
    t.deepEqual(hiddenIn(open), []);
});

test('secrets of a remote reach git on standard input only', async (t) => {
  const host = fakeHost({ accounts: { dev: { home: '/home/dev' } } });
  const git = { git: ['fetch', '--', 'origin'], keepHostKeys: true };
  const remote = { user: 'dev', host_keys: 'accept-new' } as const;
  const byKey = await networkCommand(host, { ...remote, name: 'git@x:a.git', identity: KEY }, git);
  t.is(byKey.argv[0], 'ssh-agent');
  t.deepEqual(byKey.argv.slice(-3), git.git);
  t.is(byKey.options.input, `${KEY}\n`);
  const byPassword = await networkCommand(
    host,
    { ...remote, name: 'https://me:s%2Fcret@x/a.git' },
    git,
  );
  t.is(byPassword.options.input, 'me\ns/cret\n');
  t.is(byPassword.argv[4], 'https://x');
  const login = { https_user: 'me', https_pass: 's/cret' };
  const byField = await networkCommand(
    host,
    { ...remote, ...login, name: 'https://x:8443/a.git' },
    git,
  );
  t.is(byField.options.input, 'me\ns/cret\n');
  t.is(byField.argv[4], 'https://x:8443');
  const byToken = await networkCommand(host, { ...remote, name: 'https://cret@x/a.git' }, git);
  t.is(byToken.options.input, 'cret\n\n');
  for (const { argv, options } of [byKey, byPassword, byField, byToken]) {
    t.notRegex(JSON.stringify([argv, options.env, options.cwd]), /PRIVATE|cret/);
    t.is(options.user, 'dev');
    t.is(options.env?.['GIT_TERMINAL_PROMPT'], '0');
  }
});

test('looking at an ssh remote keeps no host key, but honours those that are known', async (t) => {
  const host = fakeHost({ accounts: { dev: { home: '/home/dev' } } });
  const remote = { name: 'git@x:a.git', user: 'dev', host_keys: 'strict' } as const;
  const look = await networkCommand(host, remote, { git: ['ls-remote'], keepHostKeys: false });
  const ssh = look.options.env?.['GIT_SSH_COMMAND'] ?? '';
  t.regex(ssh, /UserKnownHostsFile=\/dev\/null/);
  t.regex(
    ssh,
    /GlobalKnownHostsFile=\/etc\/ssh\/ssh_known_hosts "\/home\/dev\/\.ssh\/known_hosts"/,
  );
  t.regex(ssh, /StrictHostKeyChecking=yes/);
  const act = await networkCommand(host, remote, { git: ['fetch'], keepHostKeys: true });
  t.notRegex(act.options.env?.['GIT_SSH_COMMAND'] ?? '', /KnownHostsFile/);
});

const TARGET = '/srv/projects/shop';
const LS_REMOTE = `git ls-remote --symref -- https://git.example/shop.git refs/heads/main refs/tags/main refs/tags/main^{}`;
const CODE = { name: 'https://git.example/shop.git', target: TARGET, rev: 'main', user: 'dev' };

const contains = (commit: string): string =>
  `git for-each-ref --contains ${commit} --count=1 --format=%(refname) refs/remotes/origin/`;
const LOCKS = `find ${TARGET}/.git -xdev -type f -name *.lock -print0`;

function checkout(at: string, more: Readonly<Record<string, Answer>> = {}): HostState {
  return {
    accounts: { root: {}, dev: { uid: 1001, gid: 1001 } },
    statuses: {
      '/srv/projects': { kind: 'directory' },
      [TARGET]: { kind: 'directory', user: 'dev' },
      [`${TARGET}/.git`]: { kind: 'directory' },
    },
    commands: {
      [LS_REMOTE]: `${NEW}\trefs/heads/main\n`,
      'git symbolic-ref --quiet --short HEAD': 'main\n',
      'git config --get remote.origin.url': `${CODE.name}\n`,
      'git config --get-all remote.origin.url': `${CODE.name}\n`,
      [LOCKS]: '',
      'git rev-parse --verify --quiet HEAD^{commit}': `${at}\n`,
      [`git rev-parse --verify --quiet ${NEW}^{commit}`]: `${NEW}\n`,
      'git rev-parse --verify --quiet refs/remotes/origin/main^{commit}': `${at}\n`,
      'git rev-parse --verify --quiet refs/heads/main^{commit}': `${at}\n`,
      'git status --porcelain --untracked-files=no --ignore-submodules': '',
      [contains(at)]: 'refs/remotes/origin/main\n',
      'git ls-files --others --exclude-standard -z': '',
      ...more,
    },
  };
}

test('a working copy is fetched and moved only when its branch has', async (t) => {
  t.deepEqual(await converge(gitLatest, CODE, fakeHost(checkout(NEW)), forReal), {
    status: 'unchanged',
  });
  const planned = fakeHost(checkout(OLD));
  t.like(await converge(gitLatest, CODE, planned, dryRun), {
    status: 'would-change',
    change: { to: { rev: NEW } },
  });
  t.deepEqual(planned.ran, []);
  const behind = { 'git rev-parse --verify --quiet refs/remotes/origin/main^{commit}': `${OLD}\n` };
  const host = fakeHost(checkout(OLD), checkout(NEW, behind));
  t.is((await converge(gitLatest, CODE, host, forReal)).status, 'changed');
  t.true(host.ran.some((line) => line.endsWith('-- origin +refs/heads/*:refs/remotes/origin/*')));
  t.is(host.ran.at(-1), `git checkout --quiet --no-recurse-submodules -B main ${NEW} --`);
  t.true(host.calls.every(({ options }) => options.user === 'dev' && options.cwd === TARGET));
});

test('a working copy whose owner is gone is given to its user', async (t) => {
  const gone = checkout(NEW);
  const orphaned = { ...gone.statuses, [TARGET]: { kind: 'directory', user: '1077' } as const };
  const host = fakeHost({ ...gone, statuses: orphaned }, gone);
  t.like(await converge(gitLatest, CODE, host, dryRun), {
    change: { to: { rev: NEW, user: 'dev' } },
  });
  await converge(gitLatest, CODE, host, forReal);
  t.regex(host.ran[0] ?? '', /^own \/srv\/projects\/shop dev:\d+$/);
});

test('root takes over no checkout of somebody else, whose hooks it would run', async (t) => {
  const { user: _dev, ...asRoot } = CODE;
  for (const options of [dryRun, forReal]) {
    const host = fakeHost(checkout(OLD));
    await t.throwsAsync(converge(gitLatest, asRoot, host, options), {
      code: 'STATE_REFUSED',
      message:
        /^Cannot make root the owner of the checkout ".*": root would run the hooks and settings of "dev"/u,
    });
    t.deepEqual(host.ran, []);
  }
});

test('root runs nothing that somebody else can make another program', async (t) => {
  const others = { uid: 1001, user: 'dev' };
  const refusal = async (statuses: NonNullable<HostState['statuses']>, user = 'root') =>
    t
      .throwsAsync(async () => {
        await refuseOthersProgram('/srv/shop/manage.py', { user }, fakeHost({ statuses }));
        throw new Error('nothing is refused');
      })
      .then(({ message }) => message);
  const manage = { kind: 'file' } as const;
  t.regex(
    await refusal({ '/srv/shop/manage.py': { ...manage, ...others } }),
    /manage.py" belongs to "dev"/u,
  );
  t.regex(
    await refusal({ '/srv/shop': { kind: 'directory', ...others } }),
    /"\/srv\/shop" belongs to "dev"/u,
  );
  t.regex(
    await refusal({ '/srv/shop': { kind: 'directory', mode: '0777' } }),
    /can be written by all/u,
  );
  const ofGroup = {
    '/srv/shop': { kind: 'directory', mode: '0775', gid: 50, group: 'staff' },
  } as const;
  const members = (names: readonly string[]) => ({
    statuses: ofGroup,
    groups: { staff: { name: 'staff', gid: 50, members: names } },
  });
  await t.throwsAsync(
    refuseOthersProgram('/srv/shop/run', {}, fakeHost(members(['dev'])), 'do that'),
    { message: /^Cannot do that as root: "\/srv\/shop" can be written by the group "staff"/u },
  );
  await t.notThrowsAsync(refuseOthersProgram('/srv/shop/run', {}, fakeHost(members([]))));
  for (const fine of [
    refusal({ '/srv/shop': { kind: 'directory', mode: '1777' } }),
    refusal({ '/srv/shop': { kind: 'directory', ...others } }, 'dev'),
  ])
    t.is(await fine, 'nothing is refused');
});

test('edited files and own commits are never given up unasked', async (t) => {
  const dirty = {
    'git status --porcelain --untracked-files=no --ignore-submodules': ' M settings.py\n',
  };
  await t.throwsAsync(converge(gitLatest, CODE, fakeHost(checkout(OLD, dirty)), forReal), {
    code: 'STATE_REFUSED',
    message: /it has local changes in settings\.py; set local_changes/,
  });
  const own = '3'.repeat(40);
  const ahead = {
    'git rev-parse --verify --quiet refs/heads/main^{commit}': `${own}\n`,
    [contains(own)]: '',
    [`git merge-base --is-ancestor ${own} ${NEW}`]: { exitCode: 1 },
  };
  const refused = {
    code: 'STATE_REFUSED',
    message: /has commits that the remote does not have \(it is at 333333333333\)/,
  };
  await t.throwsAsync(converge(gitLatest, CODE, fakeHost(checkout(OLD, ahead)), forReal), refused);
  await t.throwsAsync(converge(gitLatest, CODE, fakeHost(checkout(OLD, ahead)), dryRun), refused);
  const unfetched = {
    ...ahead,
    [`git rev-parse --verify --quiet ${NEW}^{commit}`]: { exitCode: 1 },
  };
  const asking = `git fetch --quiet --negotiate-only --negotiation-tip=${own} -- ${CODE.name}`;
  const lacking = fakeHost(checkout(OLD, { ...unfetched, [asking]: `${OLD}\n` }));
  await t.throwsAsync(converge(gitLatest, CODE, lacking, dryRun), refused);
  const silent = fakeHost(checkout(OLD, { ...unfetched, [asking]: { exitCode: 128 } }));
  t.deepEqual(await converge(gitLatest, CODE, silent, dryRun), {
    status: 'unknown',
    because:
      'its branch "main" has commits of its own, and only a fetch tells whether "main" has them too',
  });
  const host = fakeHost(checkout(OLD, ahead), checkout(NEW));
  await converge(gitLatest, { ...CODE, force_reset: true }, host, forReal);
  t.is(host.ran.at(-1), `git checkout --quiet --no-recurse-submodules --force -B main ${NEW} --`);
});

function isCode(more: object): boolean {
  return gitLatest.schema.safeParse({ ...CODE, ...more }).success;
}

test('a lock that a killed git has left is taken away, that of a git at work is not', async (t) => {
  const cwd = `find /proc -maxdepth 2 -name cwd ( -lname ${TARGET} -o -lname ${TARGET}/* ) -printf %h\\n`;
  const at = (comm: string): HostState => ({
    ...checkout(NEW, {
      [LOCKS]: `${TARGET}/.git/index.lock\0`,
      [cwd]: '/proc/42\n',
      'cat -- /proc/42/comm': comm,
    }),
  });
  const stale = fakeHost(at('bash\n'));
  await clearStaleLocks(TARGET, stale);
  t.deepEqual(stale.ran, [`remove ${TARGET}/.git/index.lock`]);
  await t.throwsAsync(clearStaleLocks(TARGET, fakeHost(at('git-remote-http\n'))), {
    code: 'STATE_REFUSED',
    message: /another git is at work in it$/,
  });
});

test('an address or rev that git could take for an option is refused', (t) => {
  t.true(isCode({}));
  for (const name of ['--upload-pack=x', 'a b', 'https://']) t.false(isCode({ name }));
  for (const rev of ['-x', 'a..b', 'a b', 'a:b', '']) t.false(isCode({ rev }));
});

const ENVIRONMENT = '/srv/environments/shop';
const INSPECT = `${ENVIRONMENT}/bin/python -B -c ${REQUIREMENTS_SCRIPT}`;
const VERSION = 'python3 -B -c import sys; print("%d.%d" % sys.version_info[:2])';
const HAS_VENV = 'python3 -B -c import ensurepip, venv';

function environment(answer: Answer): HostState {
  return {
    accounts: { root: {}, dev: { gid: 1001 } },
    statuses: {
      '/srv/environments': { kind: 'directory' },
      [ENVIRONMENT]: { kind: 'directory', user: 'dev' },
    },
    files: {
      [`${ENVIRONMENT}/pyvenv.cfg`]: 'home = /usr/bin\ninclude-system-site-packages = false\n',
      '/srv/requirements.txt': 'Django\n',
    },
    commands: { [INSPECT]: answer, [VERSION]: '3.11\n', [HAS_VENV]: '' },
  };
}
const whole = environment('{"python": "3.11", "pip": true, "missing": [], "outdated": []}');
const lacking = environment(
  '{"python": "3.11", "pip": true, "missing": ["Django>=4"], "outdated": []}',
);
const declared = { name: ENVIRONMENT, requirements: '/srv/requirements.txt', user: 'dev' };

test('a Python that makes no environments is told before anything is made', async (t) => {
  const { commands, ...others } = environment({ exitCode: 127 });
  const bare = fakeHost({ ...others, commands: { ...commands, [HAS_VENV]: { exitCode: 1 } } });
  await t.throwsAsync(converge(virtualenvManaged, declared, bare, dryRun), {
    code: 'STATE_REFUSED',
    message: /python3 has no venv \(the package python3-venv brings it\)$/,
  });
});

/** That it is being made is remembered until it is whole. */
const OWN_FILES = `ownIn ${ENVIRONMENT} pyvenv.cfg`;
const BUILD = [
  `remember virtualenv unfinished:${ENVIRONMENT}=being made`,
  `python3 -m venv --clear -- ${ENVIRONMENT}`,
  `remember virtualenv unfinished:${ENVIRONMENT}=null`,
];

test('an environment that lacks something gets it, without being built anew', async (t) => {
  t.deepEqual(await converge(virtualenvManaged, declared, fakeHost(whole), forReal), {
    status: 'unchanged',
  });
  const planned = fakeHost(lacking);
  t.like(await converge(virtualenvManaged, declared, planned, dryRun), {
    status: 'would-change',
    change: { action: 'update', to: { missing: [] }, from: { missing: ['Django>=4'] } },
  });
  t.deepEqual(planned.ran, []);
});

test('an environment without a working Python, or of another version, is built anew', async (t) => {
  for (const answer of [
    { exitCode: 127 },
    '{"python": "3.9", "pip": true, "missing": [], "outdated": []}',
  ]) {
    const host = fakeHost(environment(answer), whole);
    await converge(virtualenvManaged, declared, host, forReal);
    t.deepEqual(host.ran, [OWN_FILES, ...BUILD]);
    t.is(host.calls.find(({ argv }) => argv[0] === 'python3')?.options.user, 'dev');
  }
});

test('an environment whose making was cut short is built anew, whatever it looks like', async (t) => {
  const host = fakeHost({ ...whole, registry: { [`virtualenv unfinished:${ENVIRONMENT}`]: 'x' } });
  t.is((await converge(virtualenvManaged, declared, host, forReal)).status, 'changed');
  t.deepEqual(host.ran, [OWN_FILES, ...BUILD]);
  t.is((await converge(virtualenvManaged, declared, host, forReal)).status, 'unchanged');
});

test('a directory that is no environment is not cleared', async (t) => {
  const host = fakeHost({
    ...whole,
    files: { [`${ENVIRONMENT}/photo.jpg`]: 'x', '/srv/requirements.txt': '' },
  });
  await t.throwsAsync(converge(virtualenvManaged, declared, host, forReal), {
    code: 'STATE_REFUSED',
    message: /something else is there$/,
  });
  t.deepEqual(host.ran, []);
});

test('requirements that are not there are told by their path', async (t) => {
  const host = fakeHost(whole);
  await t.throwsAsync(
    converge(virtualenvManaged, { ...declared, constraints: '/srv/limits.txt' }, host, dryRun),
    {
      code: 'SOURCE_MISSING',
      message: 'Cannot read the requirements "/srv/limits.txt": there is no such file',
    },
  );
});

test('credentials of a package index reach pip on standard input only', async (t) => {
  const args = {
    name: 'x',
    bin_env: ENVIRONMENT,
    user: 'dev',
    index_url: 'https://me:hunter2@pypi.example/',
    extra_index_url: 'https://you:hunter2@pypi.example/',
  };
  const host = fakeHost(lacking, whole);
  await converge(pipInstalled, args, host, forReal);
  t.is(host.ran.length, 1);
  t.is(
    host.calls[0]?.options.input,
    JSON.stringify({
      settings: `[global]\nindex-url = ${args.index_url}\nextra-index-url =\n    ${args.extra_index_url}\n`,
      requirements: [],
    }),
  );
  const shown = [...host.calls, ...host.queries].map(({ argv, options }) => [argv, options.env]);
  t.false(JSON.stringify(shown).includes('hunter2'));
});

function arePackages(pkgs: unknown): boolean {
  return pipInstalled.schema.safeParse({ name: 'x', pkgs }).success;
}

test('a password in a requirement would stand in a command line', (t) => {
  t.true(arePackages(['shop @ https://git@x.example/shop.whl']));
  t.false(arePackages(['shop @ https://me:cret@x.example/shop.whl']));
});

function environmentFor(bin_env: string): unknown {
  return Object(pipInstalled.schema.parse({ name: 'x', bin_env }))['bin_env'];
}

test('the pip of an environment stands for the environment', (t) => {
  for (const path of ['/srv/e', '/srv/e/bin/pip', '/srv/e/bin/pip3', '/srv/e/bin/python3.11'])
    t.is(environmentFor(path), '/srv/e');
});

test('a requirement that pip could take for an option is refused', (t) => {
  t.true(arePackages('Django>=4.2,<5'));
  t.false(arePackages(['Django', '--index-url=http://evil']));
});

test('unapplied migrations and stale files are read from what Django prints', (t) => {
  t.deepEqual(
    parseUnapplied(
      '[X]  a.0001_initial\n[ ]  a.0002_more ... (b.0001_initial)\n[ ]  b.0001_initial\n',
    ),
    ['a.0002_more', 'b.0001_initial'],
  );
  const lines = Array.from(
    { length: 32 },
    (_, index) => `Pretending to copy '/s/${String(index).padStart(2, '0')}.css'`,
  );
  t.deepEqual(
    parseStale("Pretending to link '/b'\nSkipping 'c'\nPretending to copy '/a'\n0 files\n"),
    ['/a', '/b'],
  );
  t.is(parseStale(lines.join('\n')).length, 31);
  t.is(parseStale(lines.join('\n')).at(-1), 'and 2 more');
});

test('Django is asked without leaving anything behind, as the user of the project', async (t) => {
  const project = {
    name: '/srv/shop',
    virtualenv: ENVIRONMENT,
    user: 'dev',
    settings_module: 'shop.settings',
  };
  const manage = `${ENVIRONMENT}/bin/python manage.py`;
  const options = '--no-color --settings=shop.settings';
  const look = `${ENVIRONMENT}/bin/python -c ${LOOKING} manage.py`;
  const migrate = { [`${look} showmigrations ${options} --plan`]: '[ ]  a.0001\n' };
  const migrated = { [`${look} showmigrations ${options} --plan`]: '[X]  a.0001\n' };
  const files = { '/srv/shop/manage.py': '', [`${ENVIRONMENT}/bin/python`]: '' };
  const host = fakeHost({ files, commands: migrate }, { files, commands: migrated });
  t.is((await converge(djangoMigrated, project, host, forReal)).status, 'changed');
  t.deepEqual(host.ran, [`${manage} migrate ${options} --noinput`]);
  t.like(host.queries[0]?.options, {
    cwd: '/srv/shop',
    user: 'dev',
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });

  const collect = `${manage} collectstatic ${options} --noinput`;
  const pretend = `${look} collectstatic ${options} --noinput --dry-run`;
  const stale = fakeHost(
    { files, commands: { [pretend]: "Pretending to copy '/a'\n" } },
    { files, commands: { [pretend]: '' } },
  );
  await converge(djangoStatic, { ...project, clear: true }, stale, forReal);
  t.deepEqual(stale.ran, [`${collect} --clear`]);
});

test('of a Python program that failed, a message shows the error without the way to it', (t) => {
  const stderr = 'Traceback (most recent call last):\n  File "x"\nValueError: no\n';
  t.is(lastWords({ exitCode: 1, stdout: '', stderr, raw: new Uint8Array() }), 'ValueError: no');
  t.is(lastWords({ exitCode: 1, stdout: 'a\nb\n', stderr: ' \n', raw: new Uint8Array() }, 1), 'b');
});

test('what the checks of a project find is told without the words around it', (t) => {
  const text =
    'SystemCheckError: System check identified some issues:\n\nERRORS:\n?: (urls.E007) The custom handler\n' +
    'WARNINGS:\nshop.Price.id: (models.W042) Auto-created\n\tHINT: x\n\nSystem check identified 2 issues';
  t.deepEqual(parseProblems(text), [
    '?: (urls.E007) The custom handler',
    'shop.Price.id: (models.W042) Auto-created',
  ]);
});

/** As docker tells it, with what its image and itself have added. */
const INSPECTED = JSON.stringify([
  {
    Id: 'c0ffee',
    Image: 'sha256:1234',
    State: { Running: true, Status: 'running' },
    Mounts: [
      { Type: 'bind', Source: '/srv/data', Destination: '/data', Mode: 'ro', RW: false },
      { Type: 'volume', Name: 'store', Source: '/var/lib/docker', Destination: '/s', RW: true },
      { Type: 'volume', Name: 'a'.repeat(64), Source: '/x', Destination: '/image', RW: true },
    ],
    Config: {
      Cmd: ['sleep', '10'],
      Entrypoint: null,
      Env: ['PATH=/bin', 'WORD=a=b'],
      Labels: { team: 'web', ofImage: 'x' },
      User: '',
      WorkingDir: '',
      Hostname: 'c0ffee',
    },
    HostConfig: {
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
      NetworkMode: 'default',
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 5 },
      Memory: 67_108_864,
      Privileged: false,
      ReadonlyRootfs: false,
      CapAdd: ['CAP_NET_ADMIN'],
      CapDrop: null,
    },
    NetworkSettings: { Networks: { bridge: {} } },
  },
]);

const SHOP = {
  name: 'shop',
  image: 'shop:1',
  command: 'sleep 10',
  environment: { WORD: 'a=b' },
  labels: { team: 'web' },
  port_bindings: '127.0.0.1:8080:80',
  binds: ['store:/s', '/srv/data:/data:ro'],
  network_mode: 'bridge',
  restart_policy: 'on-failure:5',
  memory: '64m',
  cap_add: 'net_admin',
};

test('a container is read in the words of its declaration, whatever engine tells of it', async (t) => {
  const commands = {
    'docker --version': 'Docker version 27',
    'docker container inspect -- shop': INSPECTED,
    'docker image inspect -- shop:1': '[{"Id": "sha256:1234"}]',
  };
  t.deepEqual(await converge(dockerContainerRunning, SHOP, fakeHost({ commands }), forReal), {
    status: 'unchanged',
  });
  const newer = { ...commands, 'docker image inspect -- shop:1': '[{"Id": "sha256:5678"}]' };
  t.like(
    await converge(
      dockerContainerRunning,
      { ...SHOP, memory: 1024 },
      fakeHost({ commands: newer }),
      dryRun,
    ),
    { change: { from: { image: 'sha256:1234' }, to: { image: 'shop:1', memory: 1024 } } },
  );
});

test('paths and ports of a container are told as engines tell them, and none that cannot be', (t) => {
  const { schema } = dockerContainerRunning;
  const spelt = { port_bindings: '080:0080', binds: ['/srv/x/../:/data/', 'v:/v/:ro'] };
  t.like(schema.safeParse({ ...SHOP, ...spelt }), {
    data: { port_bindings: ['80:80/tcp'], binds: ['/srv:/data:rw', 'v:/v:ro'] },
  });
  for (const wrong of [{ port_bindings: '99999:80' }, { command: ['a\0b'] }]) {
    t.false(schema.safeParse({ ...SHOP, ...wrong }).success);
  }
});

test('an engine that does not answer is no container that is not there', async (t) => {
  const stderr =
    'Cannot connect to the Docker daemon: dial unix /run/docker.sock: no such file or directory';
  const down = { exitCode: 1, stderr };
  const commands = { 'docker --version': '', 'docker container inspect -- shop': down };
  await t.throwsAsync(converge(dockerContainerRunning, SHOP, fakeHost({ commands }), dryRun), {
    code: 'COMMAND_FAILED',
    message: /Cannot connect to the Docker daemon/,
  });
});

test('names of settings are the same in letters of any case, but for what stands between', (t) => {
  t.is(canonicalName('User.Email'), 'user.email');
  t.is(canonicalName('URL.https://A@b.c/.insteadOf'), 'url.https://A@b.c/.insteadof');
});
