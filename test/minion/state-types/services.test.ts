import test from 'ava';
import { z } from 'zod';
import { cmdRun, cmdWait } from '../../../minion/state-types/commands/cmd.ts';
import { cronAbsent, cronPresent } from '../../../minion/state-types/system/cron.ts';
import { parseLine } from '../../../minion/state-types/system/lib/crontab.ts';
import { areListsOld } from '../../../minion/state-types/packages/lib/apt.ts';
import {
  parsePackages,
  parsePolicy,
  parseProvided,
} from '../../../minion/state-types/lib/packages.ts';
import { parseUnits, unitName } from '../../../minion/state-types/services/lib/units.ts';
import { fits } from '../../../minion/state-types/packages/lib/versions.ts';
import { pkgInstalled } from '../../../minion/state-types/packages/pkg.ts';
import { serviceDead, serviceRunning } from '../../../minion/state-types/services/service.ts';
import { waitHttp, waitPort } from '../../../minion/state-types/services/wait.ts';
import { converge, dryRun, forReal, notified } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
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
    commands: { ...SL, 'apt-cache policy cron sl': POLICY, 'apt-cache policy sl': POLICY },
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

test('a package that no source has is named, after the lists have been fetched', async (t) => {
  const state = { ...FRESH, commands: { ...SL, 'apt-cache policy slx': '' } };
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

const PROPERTIES =
  '--property=Id,Names,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,CanReload,NRestarts';
const ALL_UNITS = `systemctl show --no-pager ${PROPERTIES} *.service *.socket *.timer`;
const ONE_UNIT = `systemctl show --no-pager ${PROPERTIES} -- nginx.service`;

function unit(active: string, sub = 'running', more = ''): string {
  return `Id=nginx.service\nNames=nginx.service www.service\nLoadState=loaded\nActiveState=${active}\nSubState=${sub}\nUnitFileState=enabled\nNeedDaemonReload=no\nCanReload=yes\nNRestarts=0\n${more}`;
}

function unitCommands(shown: string) {
  return {
    [ALL_UNITS]: shown,
    [ONE_UNIT]: shown,
    'journalctl --no-pager --lines=20 --output=cat --unit=nginx.service': 'port in use',
  };
}

function unitsHost(text: string, after = text): FakeHost {
  return fakeHost({ commands: unitCommands(text) }, { commands: unitCommands(after) });
}

test('units are known by all of their names', (t) => {
  const units = parseUnits(`${unit('active')}\n\nId=b.socket\nNames=b.socket\n`);
  t.deepEqual([...units.keys()], ['nginx.service', 'www.service', 'b.socket']);
  t.is(unitName('nginx'), 'nginx.service');
  t.is(unitName('app@1'), 'app@1.service');
  t.is(unitName('b.socket'), 'b.socket');
});

test('a service is started and must stay up for a while', async (t) => {
  const host = unitsHost(unit('inactive', 'dead'), unit('active'));
  await converge(serviceRunning, { name: 'nginx', init_delay: 2 }, host, forReal);
  t.deepEqual(host.ran, ['systemctl start -- nginx.service']);
  t.deepEqual(host.slept, [2000]);
});

test('a service that does not come up fails with the end of its journal', async (t) => {
  const host = unitsHost(unit('inactive', 'dead'), unit('failed', 'failed'));
  const error = await t.throwsAsync(converge(serviceRunning, { name: 'nginx' }, host, forReal), {
    message: 'Cannot start "nginx.service": it is failed (failed)',
  });
  t.like(error, { details: { output: 'port in use' } });
});

test('a service answers a watch with a restart, or a reload where it can', async (t) => {
  const host = unitsHost(unit('active'));
  t.like(await converge(serviceRunning, { name: 'nginx' }, host, notified), {
    reaction: 'restarted',
  });
  t.like(await converge(serviceRunning, { name: 'nginx', reload: true }, host, notified), {
    reaction: 'reloaded',
  });
  t.deepEqual(host.ran, [
    'systemctl restart -- nginx.service',
    'systemctl reload -- nginx.service',
  ]);
});

test('a unit that systemd starts over and over is neither running nor dead', async (t) => {
  const looping = unit('activating', 'auto-restart');
  t.like(await converge(serviceRunning, { name: 'nginx' }, unitsHost(looping), dryRun), {
    status: 'would-change',
  });
  t.like(await converge(serviceDead, { name: 'nginx' }, unitsHost(looping), dryRun), {
    status: 'would-change',
  });
});

test('a unit that can be neither enabled nor disabled is as it was asked for', async (t) => {
  const fixed = unit('active').replace('UnitFileState=enabled', 'UnitFileState=static');
  for (const enable of [true, false])
    t.deepEqual(
      await converge(serviceRunning, { name: 'nginx', enable }, unitsHost(fixed), forReal),
      { status: 'unchanged' },
    );
});

const LIST = 'crontab -u bob -l';
const OTHERS = '# mine\nPATH=/bin a b c d e\n1 2 3 4 5 /bin/others %x\n';

test('a cron line is put below those of others and found again', async (t) => {
  const host = fakeHost({ commands: { [LIST]: OTHERS } });
  const args = { name: '/bin/job', user: 'bob', hour: 3, minute: '*/5', comment: 'Why\nand how' };
  const planned = await converge(cronPresent, args, host, dryRun);
  t.like(planned, {
    change: { action: 'create', to: { minute: '*/5', hour: '3', daymonth: '*' } },
  });
  const type = cronPresent.schema.parse(args);
  await cronPresent.apply({ action: 'create', to: {} }, type, host);
  const written = String(host.calls[0]?.options.input);
  t.is(written, `${OTHERS}# conductor: /bin/job\n# Why\n# and how\n*/5 3 * * * /bin/job\n`);
  const again = fakeHost({ commands: { [LIST]: written } });
  t.deepEqual(await converge(cronPresent, args, again, forReal), { status: 'unchanged' });
});

test('declaring what was read of a cron line is unchanged', async (t) => {
  const host = fakeHost({
    commands: { [LIST]: `${OTHERS}# conductor: id\n#DISABLED# 1 2 3 4 5 /bin/job\n` },
  });
  const args = { name: '/bin/job', identifier: 'id', user: 'bob' };
  const { special, comment, ...read } =
    (await cronPresent.read(cronPresent.schema.parse(args), host)) ?? {};
  t.deepEqual([special, comment], [null, null]);
  t.deepEqual(await converge(cronPresent, { ...args, ...read }, host, forReal), {
    status: 'unchanged',
  });
});

test('a cron line of others with the same command is taken over, and its bytes stay elsewhere', async (t) => {
  const latin = Buffer.concat([
    Buffer.from('# caf'),
    Buffer.from([0xe9]),
    Buffer.from('\n1 1 * * * /bin/job\n'),
  ]);
  const host = fakeHost({ commands: { [LIST]: { raw: latin } } });
  const args = cronPresent.schema.parse({ name: '/bin/job', user: 'bob', special: '@daily' });
  await cronPresent.apply({ action: 'create', to: {} }, args, host);
  const bytes = Buffer.from(z.instanceof(Uint8Array).parse(host.calls[0]?.options.input));
  t.deepEqual(bytes.subarray(0, 7), latin.subarray(0, 7));
  t.is(bytes.subarray(7).toString(), '# conductor: /bin/job\n@daily /bin/job\n');
});

test('a crontab that cannot be read is never written', async (t) => {
  const host = fakeHost({ commands: { [LIST]: { exitCode: 1, stderr: 'You are not allowed\n' } } });
  const args = { name: '/bin/job', user: 'bob' };
  await t.throwsAsync(converge(cronPresent, args, host, forReal), {
    message: 'Cannot read the crontab of "bob"',
  });
  const without = fakeHost({ commands: { [LIST]: { exitCode: 127 } } });
  await t.throwsAsync(converge(cronPresent, args, without, forReal), {
    message: /this host has no cron/,
  });
  t.deepEqual(await converge(cronAbsent, args, without, forReal), { status: 'unchanged' });
  t.deepEqual([...host.ran, ...without.ran], []);
});

async function minuteOf(name: string): Promise<unknown> {
  const args = cronPresent.schema.parse({ name, minute: 'random' });
  return (await cronPresent.want(args, fakeHost()))?.['minute'];
}

test('a random minute is the same on every run and another for another job', async (t) => {
  const minutes = await Promise.all(['a', 'a', 'b', 'c', 'd', 'e'].map(minuteOf));
  t.is(minutes[0], minutes[1]);
  t.true(new Set(minutes).size > 2);
  for (const minute of minutes) t.true(Number(minute) >= 0 && Number(minute) < 60);
});

test('only what cron would run is taken for a cron line', (t) => {
  t.deepEqual(parseLine('@reboot  /bin/x  y'), {
    when: ['@reboot'],
    command: '/bin/x  y',
    isCommented: false,
  });
  t.deepEqual(parseLine('*/5\t1-3 * jan Mon,Tue x'), {
    when: ['*/5', '1-3', '*', 'jan', 'Mon,Tue'],
    command: 'x',
    isCommented: false,
  });
  for (const line of ['', '# 1 1 1 1 1 x', 'PATH="a b c d e f"', '1 2 3 4 x'])
    t.is(parseLine(line), null, line);
});

test('a script reaches the shell by a pipe, before what it is given itself', async (t) => {
  const host = fakeHost();
  const args = { name: 'a | b\nc secret', stdin: 'fed', runas: 'bob', timeout: 5, umask: '027' };
  await converge(cmdRun, args, host, forReal);
  const [call] = host.calls;
  t.false(call?.argv.join(' ').includes('secret'));
  t.deepEqual(call?.argv.slice(4), ['/bin/bash', '-e', '-o', 'pipefail']);
  t.like(call?.options, {
    input: 'a | b\nc secret\0fed',
    user: 'bob',
    timeoutMs: 5000,
    umask: '0027',
  });
});

test('a command waits for what it watches', async (t) => {
  const host = fakeHost();
  t.deepEqual(await converge(cmdWait, { name: 'true' }, host, forReal), { status: 'unchanged' });
  t.deepEqual(host.ran, []);
  t.like(await converge(cmdWait, { name: 'true' }, host, notified), {
    status: 'changed',
    reaction: 'ran',
  });
  t.is(host.ran.length, 1);
});

test('waiting ends when the thing is there, and fails with what was last seen', async (t) => {
  const closed = fakeHost();
  const never = converge(waitPort, { name: 'x', port: 80, timeout: 0 }, closed, forReal);
  await t.throwsAsync(never, {
    code: 'COMMAND_TIMEOUT',
    message: /nothing accepts connections after 0 s/,
  });
  const site = { name: 'http://x/', status: [200, 204], contains: 'hello', timeout: 0 };
  const answering = fakeHost({ http: { 'http://x/': { body: Buffer.from('hello you') } } });
  t.deepEqual(await converge(waitHttp, site, answering, forReal), { status: 'unchanged' });
  const other = fakeHost({ http: { 'http://x/': { body: Buffer.from('bye') } } });
  await t.throwsAsync(converge(waitHttp, site, other, forReal), {
    message: /it last gave status 200 without the text$/,
  });
});
