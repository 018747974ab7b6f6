import test from 'ava';
import { ConductorError, messageOf } from '../../../shared/errors.ts';
import {
  candidates,
  parsePackages,
  parsePolicy,
  parseProvided,
} from '../../../minion/state-types/lib/packages.ts';
import { debconfSet } from '../../../minion/state-types/packages/debconf.ts';
import { parseAlternatives } from '../../../minion/state-types/packages/lib/alternatives.ts';
import { areListsOld, whenUnlocked } from '../../../minion/state-types/packages/lib/apt.ts';
import { parseAnswers } from '../../../minion/state-types/packages/lib/debconf.ts';
import { fingerprintsIn, keyringBytes } from '../../../minion/state-types/packages/lib/openpgp.ts';
import { repositoryOf } from '../../../minion/state-types/packages/lib/repository.ts';
import {
  parseLine,
  parseStanza,
  renderLines,
  renderStanza,
} from '../../../minion/state-types/packages/lib/source-entry.ts';
import { parseFile, replaceIn } from '../../../minion/state-types/packages/lib/source-file.ts';
import { parseSimulation } from '../../../minion/state-types/packages/lib/upgrades.ts';
import { fits } from '../../../minion/state-types/packages/lib/versions.ts';
import { pkgInstalled } from '../../../minion/state-types/packages/pkg.ts';
import { pkgrepoManaged } from '../../../minion/state-types/packages/pkgrepo.ts';
import { managedSchema } from '../../../minion/state-types/packages/pkgrepo-schema.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import { lookForReleases } from '../../../minion/state-types/packages/lib/release.ts';
import { judgedHost } from '../../helpers/judged-host.ts';
import type { FakeHost } from '../../helpers/fake-host.ts';

const DPKG =
  'dpkg-query --show --showformat=${Package}\t${Architecture}\t${Version}\t${db:Status-Abbrev}\n';
const PROVIDES = 'dpkg-query --show --showformat=${Package}\t${db:Status-Abbrev}\t${Provides}\n';

test('packages count as installed only when they are so whole', (t) => {
  const { installed, partial } = parsePackages(
    'nginx\tamd64\t1.22\tii \ngone\tall\t1\trc \nheld\tall\t2\thi \nbroken\tall\t3\tiF \nlibc6\tamd64\t4\tii \nlibc6\ti386\t5\tii \n',
  );
  t.deepEqual(
    [...installed.keys()],
    ['nginx', 'nginx:amd64', 'held', 'held:all', 'libc6', 'libc6:amd64', 'libc6:i386'],
  );
  t.is(installed.get('libc6')?.version, '4');
  t.true(installed.get('held')?.isHeld);
  t.deepEqual(partial.get('gone'), { version: '1', isConfigurationOnly: true });
  t.deepEqual(partial.get('broken'), { version: '3', isConfigurationOnly: false });
});

test('names that packages provide are told apart from their versions', (t) => {
  const provided = parseProvided(
    'exim4\tii \tmail-transport-agent, smtp (= 4.9), x:any\nold\trc \tawk\n',
  );
  t.deepEqual([...provided.keys()], ['mail-transport-agent', 'smtp', 'x:any']);
});

test('the candidate comes before the other versions of a package', (t) => {
  const policy = `nginx:
  Installed: 1.22.1-9
  Candidate: 1.22.1-9+deb12u1
  Version table:
     1.26.0-1~bpo12+1 100
        100 http://deb/debian bookworm-backports/main amd64 Packages
     1.22.1-9+deb12u1 500
        500 http://deb/debian-security bookworm-security/main amd64 Packages
 *** 1.22.1-9 100
        100 /var/lib/dpkg/status
virtual:
  Installed: (none)
  Candidate: (none)
  Version table:
`;
  const known = parsePolicy(policy);
  t.deepEqual(known.get('nginx'), ['1.22.1-9+deb12u1', '1.26.0-1~bpo12+1', '1.22.1-9']);
  t.false(known.has('virtual'));
});

test('a version may be exact, a pattern or a comparison', async (t) => {
  const host = fakeHost({
    commands: {
      'dpkg --compare-versions 1.2 ge 1': '',
      'dpkg --compare-versions 1.2 lt 1': { exitCode: 1 },
    },
  });
  t.true(await fits('1.2', '1.2', host));
  t.true(await fits('1:1.2-3', '1.2*', host));
  t.false(await fits('1x2', '1.2', host));
  t.true(await fits('1.2', '>=1', host));
  t.false(await fits('1.2', '<1', host));
});

const SL = { [DPKG]: 'cron\tamd64\t3.0\tii \n', [PROVIDES]: '', 'dpkg --audit': '' };
const POLICY = 'sl:\n  Installed: (none)\n  Candidate: 5.02\n  Version table:\n     5.02 500\n';
const FRESH = {
  files: { '/var/lib/apt/lists/x_Packages': '' },
  statuses: { '/var/lib/apt/lists': { kind: 'directory', mtimeMs: Date.now() } },
} as const;

test('all packages that differ are installed in one transaction that asks nothing', async (t) => {
  const state = {
    ...FRESH,
    commands: {
      ...SL,
      'apt-cache --option=Dir::Cache::pkgcache= policy cron sl': POLICY,
      'apt-cache --option=Dir::Cache::pkgcache= policy sl': POLICY,
    },
  };
  const host = fakeHost(state, {
    ...state,
    commands: { ...state.commands, [DPKG]: 'cron\tamd64\t3.0\tii \nsl\tamd64\t5.02\tii \n' },
  });
  const made = await converge(pkgInstalled, { name: 'x', pkgs: ['cron', 'sl'] }, host, forReal);
  t.like(made, { change: { action: 'update', to: { sl: '5.02' } } });
  t.is(host.ran.length, 1);
  t.regex(host.ran[0] ?? '', /^apt-get .*--force-confold install --install-recommends -- sl$/);
  t.is(host.calls[0]?.options.env?.['DEBIAN_FRONTEND'], 'noninteractive');
});

test('apt is asked once for what it has, until its configuration changes', async (t) => {
  const asking = 'apt-cache --option=Dir::Cache::pkgcache= policy sl';
  const host = fakeHost({ ...FRESH, commands: { ...SL, [asking]: POLICY } });
  const asked = (): number => host.queries.filter(({ argv }) => argv.join(' ') === asking).length;
  await converge(pkgInstalled, { name: 'sl' }, host, dryRun);
  t.is(asked(), 1);
  await candidates(['sl'], host);
  t.is(asked(), 1);
  await host.writeFile('/etc/apt/preferences.d/pin', 'Package: sl', {});
  await candidates(['sl'], host);
  t.is(asked(), 2);
});

test('where only root can read the sources, root asks apt, and leaves no cache', async (t) => {
  const asking = 'apt-cache --option=Dir::Cache::pkgcache= policy sl';
  const host = fakeHost({
    statuses: { '/etc/apt/sources.list.d/ours.list': { mode: '0600' } },
    commands: { [asking]: POLICY },
  });
  t.deepEqual([...(await candidates(['sl'], host)).keys()], ['sl']);
  const [asked] = host.queries.filter(({ argv }) => argv.join(' ') === asking);
  t.deepEqual(asked?.options, { readOnly: ['/var/cache/apt', '/var/log/apt'] });
});

test('a plan tells what no list has, and what is held', async (t) => {
  const state = {
    ...FRESH,
    commands: {
      ...SL,
      [DPKG]: 'cron\tamd64\t3.0\tii \nsl\tamd64\t5.01\thi \n',
      'apt-cache --option=Dir::Cache::pkgcache= policy slx': '',
      'apt-cache --option=Dir::Cache::pkgcache= policy sl': POLICY,
    },
  };
  t.deepEqual(await converge(pkgInstalled, { name: 'slx' }, fakeHost(state), dryRun), {
    status: 'unknown',
    because:
      'no package list of this host has "slx"; they are fetched first, though they are not old',
  });
  const old = {
    ...state,
    statuses: { '/var/lib/apt/lists': { kind: 'directory', mtimeMs: 1 } },
  } as const;
  t.deepEqual(await converge(pkgInstalled, { name: 'slx' }, fakeHost(old), dryRun), {
    status: 'unknown',
    because:
      'no package list of this host has "slx"; they are old: new ones are fetched first, which may have it or not',
  });
  const bare = fakeHost({ ...old, files: {} });
  t.like(await converge(pkgInstalled, { name: 'slx' }, bare, dryRun), {
    status: 'would-change',
    change: { to: { slx: 'the newest (no package lists yet)' } },
  });
  const unfetched = await t.throwsAsync(
    converge(pkgInstalled, { name: 'slx', refresh: false }, fakeHost(state), dryRun),
    { message: 'Cannot install "slx": no package source of this host has it' },
  );
  t.true(unfetched instanceof ConductorError);
  t.deepEqual(unfetched instanceof ConductorError && unfetched.details['lacks'], ['path:/etc/apt']);
  const newer = { name: 'sl', version: '5.02' };
  await t.throwsAsync(converge(pkgInstalled, newer, fakeHost(state), dryRun), {
    message: /^Cannot change the version of "sl": it is held/u,
  });
});

test('a package that no source has is named, after the lists have been fetched', async (t) => {
  const state = {
    ...FRESH,
    commands: { ...SL, 'apt-cache --option=Dir::Cache::pkgcache= policy slx': '' },
  };
  const host = fakeHost(state);
  await t.throwsAsync(converge(pkgInstalled, { name: 'slx' }, host, forReal), {
    message: 'Cannot install "slx": no package source of this host has it',
  });
  t.regex(host.ran[0] ?? '', /^apt-get .* update$/);
});

function listsOf(lists: number, sources: number): FakeHost {
  return fakeHost({
    files: { '/var/lib/apt/lists/x_Packages': '', '/etc/apt/sources.list': '' },
    statuses: {
      '/var/lib/apt/lists': { kind: 'directory', mtimeMs: lists },
      '/etc/apt/sources.list': { mtimeMs: sources },
    },
  });
}

test('package lists are old when there are none, after a day, and when the sources are newer', async (t) => {
  const now = Date.now();
  const hour = 3_600_000;
  t.true(await areListsOld({}, fakeHost({ registry: { 'apt-lists-refreshed': String(now) } })));
  t.false(await areListsOld({}, listsOf(now - hour, 0)));
  t.true(await areListsOld({}, listsOf(now - 25 * hour, 0)));
  t.true(await areListsOld({}, listsOf(now - hour, now)));
  t.true(await areListsOld({ mostSeconds: 60 }, listsOf(now - hour, 0)));
});

test('a lock that somebody else holds is waited for, and named when the time is up meanwhile', async (t) => {
  const words =
    'Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (python3)';
  const output = `E: ${words}\nE: Unable to acquire the dpkg frontend lock`;
  let tries = 0;
  const host: FakeHost = {
    ...fakeHost(),
    run: async () => {
      tries += 1;
      if (tries > 1) return { exitCode: 0, stdout: 'done', stderr: '', raw: new Uint8Array() };
      throw new ConductorError('COMMAND_FAILED', 'Cannot run "apt-get"', { output });
    },
  };
  t.is((await whenUnlocked(['apt-get', 'install'], host)).stdout, 'done');
  tries = 0;
  const late = new ConductorError('COMMAND_TIMEOUT', 'Cannot finish "x": it took longer than 60 s');
  const impatient = { ...host, sleep: async () => Promise.reject(late) };
  const { message } = await t.throwsAsync(whenUnlocked(['apt-get', 'install'], impatient));
  t.is(message, `${late.message}; it had to wait: ${words}`);
});

test('a simulation tells what an upgrade would change, add and remove', (t) => {
  const text = `Remv old [1.0]
Inst nginx [1.22.1-9] (1.22.1-9+deb12u1 Debian:12 [amd64]) []
Inst new-library (2 Debian:12 [amd64])
Conf nginx (1.22.1-9+deb12u1 Debian:12 [amd64])
`;
  t.deepEqual(parseSimulation(text), [
    { name: 'old', from: '1.0', to: null },
    { name: 'nginx', from: '1.22.1-9', to: '1.22.1-9+deb12u1' },
    { name: 'new-library', from: null, to: '2' },
  ]);
});

test('only what somebody has answered is an answer', (t) => {
  const answers = parseAnswers(`Name: a/b
Template: a/b
Value: two\\nlines
Owners: a
Flags: seen

Name: a/default
Value: x

Name: a/empty
Value:
Flags: seen, other
`);
  t.deepEqual(
    [...answers],
    [
      ['a/b', 'two\nlines'],
      ['a/empty', ''],
    ],
  );
});

test('a password for debconf goes by standard input, and is shown nowhere', async (t) => {
  const config = { '/var/cache/debconf/config.dat': '' };
  const passwords = 'Name: a/password\nValue: s3same\nFlags: seen\n';
  const host = fakeHost({ files: { ...config, '/var/cache/debconf/passwords.dat': passwords } });
  const args = { name: 'a', data: { 'a/password': { type: 'password', value: 'hunter2' } } };
  const planned = await converge(debconfSet, args, host, dryRun);
  t.false(
    JSON.stringify(planned).includes('hunter2') || JSON.stringify(planned).includes('s3same'),
  );
  await t.throwsAsync(converge(debconfSet, args, host, forReal), { code: 'STATE_NOT_CONVERGED' });
  t.deepEqual(host.ran, ['debconf-set-selections']);
  t.is(host.calls[0]?.options.input, 'a a/password password hunter2\n');
  t.false(
    debconfSet.schema.safeParse({ ...args, data: { 'a/b': { type: 'string', value: 'x\\' } } })
      .success,
  );
});

test('a group of alternatives is read with the one in use and those that might be', (t) => {
  const group = parseAlternatives(`Name: editor
Link: /usr/bin/editor
Slaves:
 editor.1.gz /usr/share/man/man1/editor.1.gz
Status: manual
Best: /bin/nano
Value: /bin/ed

Alternative: /bin/ed
Priority: -100

Alternative: /bin/nano
Priority: 40
Slaves:
 editor.1.gz /usr/share/man/man1/nano.1.gz
`);
  t.like(group, { link: '/usr/bin/editor', current: '/bin/ed', isManual: true, best: '/bin/nano' });
  t.deepEqual(
    [...group.priorities],
    [
      ['/bin/ed', -100],
      ['/bin/nano', 40],
    ],
  );
});

test('sources are the same however their lines are written', (t) => {
  const entry = parseLine(
    '  deb  [ signed-by=/k.gpg  ARCH=amd64 ] https://example.org/debian/  stable  main contrib # why',
  );
  t.deepEqual(entry === null ? [] : renderLines(entry), [
    'deb [arch=amd64 signed-by=/k.gpg] https://example.org/debian stable main contrib',
  ]);
  t.false(parseLine('# deb https://example.org/debian stable main')?.isEnabled);
  for (const line of ['# a debian mirror', 'deb', 'deb stable main', ''])
    t.is(parseLine(line), null);
});

test('a stanza is read with its lists, and written in one way', (t) => {
  const entry = parseStanza(`# why
Types: deb deb-src
URIs: https://example.org/debian/
Suites: stable
 stable-updates
Components: main
Architectures: amd64 arm64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xyz
Enabled: no
`);
  t.like(entry, {
    types: ['deb', 'deb-src'],
    suites: ['stable', 'stable-updates'],
    isEnabled: false,
  });
  t.deepEqual(entry === null ? [] : renderStanza(entry), [
    'Types: deb deb-src',
    'URIs: https://example.org/debian',
    'Suites: stable stable-updates',
    'Components: main',
    'Architectures: amd64 arm64',
    'Signed-By: -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xyz',
    'Enabled: no',
  ]);
  t.is(parseStanza('Types: deb\n'), null);
});

test('an entry is replaced where it stands, and all others stay byte for byte', (t) => {
  const own = 'deb https://example.org/debian stable main';
  const others = '# mine\n deb  http://x y z\n';
  const { entry } = repositoryOf(managedSchema.parse({ name: own }));
  const text = `deb [trusted=yes] https://example.org/debian/ stable old\n${others}${own}\n`;
  const file = parseFile('/etc/apt/sources.list', text);
  t.is(replaceIn(file, entry, entry), `${own}\n${others}`);
  t.is(replaceIn(file, entry, null), others);
  const stanzas = parseFile('/etc/apt/sources.list.d/x.sources', '# a\nTypes: deb\n\n\n# b\n');
  t.is(replaceIn(stanzas, entry, null), '# a\nTypes: deb\n\n# b\n');
});

const KEY = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawB+4BYJKwYBBAHaRw8BAQdAY9l6HZOqSfzxUs+5wRY/UCU3Ztjy9L1MpQ2E
xs8L+XO0BHRveXOIkAQTFggAOBYhBIZg5Q+B6x0ueSxOTbafqwHUNBBpBQJrAH7g
AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJELafqwHUNBBpl7QBAPrjTh0u
Lzj8CZqR8Ph6U4dAORA1UEzkvcHSYB33KTUYAP9If5N5+FX9EILQlucPRG1Mtc3q
f5L0Wt9NDeSJvcZWDg==
=ZTcj
-----END PGP PUBLIC KEY BLOCK-----
`;
const FINGERPRINT = '8660E50F81EB1D2E792C4E4DB69FAB01D4341069';

test('a public key is the same as text and as bytes, and known by its fingerprint', (t) => {
  const bytes = keyringBytes(Buffer.from(KEY));
  t.deepEqual(fingerprintsIn(bytes), [FINGERPRINT]);
  t.deepEqual(keyringBytes(bytes), bytes);
  t.is(keyringBytes(Buffer.from(KEY + KEY)).length, bytes.length * 2);
  for (const other of ['', '<html>', KEY.slice(0, 90)])
    t.deepEqual(fingerprintsIn(keyringBytes(Buffer.from(other))), []);
  t.deepEqual(fingerprintsIn(bytes.subarray(0, 20)), []);
});

const DOCKER = { name: 'deb https://download.docker.com/linux/debian bookworm stable' };

test('a source has a file and a keyring of its own unless they are named', (t) => {
  const own = repositoryOf(
    managedSchema.parse({ ...DOCKER, key_text: KEY, architectures: 'amd64, arm64' }),
  );
  t.is(own.file, '/etc/apt/sources.list.d/download.docker.com_linux_debian.list');
  t.is(own.keyring, '/etc/apt/keyrings/download.docker.com_linux_debian.gpg');
  t.deepEqual(renderLines(own.entry), [
    `deb [arch=amd64,arm64 signed-by=${own.keyring}] https://download.docker.com/linux/debian bookworm stable`,
  ]);
  const titled = {
    name: 'docker',
    uris: 'https://download.docker.com/linux/debian',
    suites: 'bookworm',
    comps: 'stable',
  };
  t.is(repositoryOf(managedSchema.parse(titled)).file, '/etc/apt/sources.list.d/docker.sources');
  const named = managedSchema.parse({ ...DOCKER, dist: 'trixie', comps: ['test'], disabled: true });
  t.deepEqual(renderLines(repositoryOf(named).entry), [
    '# deb https://download.docker.com/linux/debian trixie test',
  ]);
});

function refusal(more: object): string {
  const { error } = managedSchema.safeParse({ ...DOCKER, ...more });
  return error?.issues.map(({ message }) => message).join('\n') ?? '';
}

test('what cannot be a source of packages is refused with the reason', (t) => {
  t.is(refusal({}), '');
  t.regex(refusal({ ppa: 'wolfnet/logstash' }), /built for Ubuntu/);
  t.regex(refusal({ consolidate: true }), /clean_file: true cleans a file/);
  t.regex(refusal({ aptkey: true }), /apt-key is gone/);
  t.regex(refusal({ key_url: 'http://example.org/key' }), /plain http/);
  t.is(refusal({ key_url: 'http://example.org/key', key_hash: 'a'.repeat(64) }), '');
  t.regex(refusal({ keyid: FINGERPRINT }), /go together/);
  t.regex(refusal({ key_text: KEY, key_url: '/srv/key' }), /one of/);
  t.regex(refusal({ file: '/etc/apt/x.list' }), /apt reads/);
  t.regex(
    refusal({
      name: 'docker',
      uris: 'https://a https://b',
      suites: 'x',
      comps: 'y',
      file: '/etc/apt/sources.list.d/x.list',
    }),
    /can hold several/,
  );
});

function keyUrl(id: string): string {
  return `https://keys.example.org/pks/lookup?op=get&options=mr&search=0x${id}`;
}

test('a key from a key server must be the one that was asked for', async (t) => {
  const other = 'F'.repeat(40);
  const body = Buffer.from(KEY);
  const http = { [keyUrl(FINGERPRINT)]: { body }, [keyUrl(other)]: { body } };
  const host = judgedHost({ http });
  const args = { ...DOCKER, keyserver: 'keys.example.org', refresh: false };
  t.like(await converge(pkgrepoManaged, { ...args, keyid: `0x${FINGERPRINT}` }, host, dryRun), {
    change: { action: 'create', to: { key: `the key ${FINGERPRINT}` } },
  });
  await t.throwsAsync(converge(pkgrepoManaged, { ...args, keyid: other }, host, forReal), {
    code: 'SOURCE_MISSING',
    message: `Cannot use the key "${keyUrl(other)}": it is the key ${FINGERPRINT}, not ${other}`,
  });
  t.deepEqual(host.ran, []);
});

test('a server is asked whether it has a suite, unless apt goes by a proxy', async (t) => {
  const gone = { status: 404, body: new Uint8Array() };
  const here = { status: 200, body: new Uint8Array() };
  const look = async (
    http: Readonly<Record<string, typeof gone>>,
    suite = 'bookworm',
    proxy = '',
  ): Promise<string> => {
    const host = fakeHost({ http, commands: { 'apt-config dump': proxy } });
    const entry = parseLine(`deb https://a.example/debian ${suite} main`);
    if (entry === null) return 'the line is none';
    try {
      await lookForReleases({ ...entry, isEnabled: true }, host);
    } catch (error) {
      return messageOf(error);
    }
    return '';
  };
  const lists = 'https://a.example/debian/dists/bookworm';
  const none = { [`${lists}/InRelease`]: gone, [`${lists}/Release`]: gone };
  t.is(await look(none), `Cannot download "${lists}/Release": the answer is status 404`);
  t.is(await look({ ...none, [`${lists}/Release`]: here }), '');
  t.is(await look({ [`${lists}/InRelease`]: here }), '');
  t.is(await look({ 'https://a.example/debian/InRelease': here }, './'), '');
  t.is(await look(none, 'bookworm', 'Acquire::http::Proxy "http://proxy:3128";\n'), '');
});
