import test from 'ava';
import { z } from 'zod';
import { cmdRun, cmdWait } from '../../../minion/state-types/commands/cmd.ts';
import { cronAbsent, cronPresent } from '../../../minion/state-types/system/cron.ts';
import { parseLine } from '../../../minion/state-types/system/lib/crontab.ts';
import {
  parseUnits,
  templateOf,
  unitName,
} from '../../../minion/state-types/services/lib/units.ts';
import { serviceDead, serviceRunning } from '../../../minion/state-types/services/service.ts';
import { processAbsent } from '../../../minion/state-types/services/process.ts';
import {
  serviceDisabled,
  serviceEnabled,
} from '../../../minion/state-types/services/service-switch.ts';
import { systemdUnit } from '../../../minion/state-types/services/systemd.ts';
import { waitFile } from '../../../minion/state-types/services/wait-file.ts';
import { waitHttp, waitPort } from '../../../minion/state-types/services/wait.ts';
import { converge, dryRun, forReal, notified } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import { judgedHost } from '../../helpers/judged-host.ts';
import type { FakeHost } from '../../helpers/fake-host.ts';

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
  t.is(templateOf('app@1.service'), 'app@.service');
  t.is(templateOf('app@.service'), null);
  t.is(templateOf('app.service'), null);
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
  const without = fakeHost({ accounts: { bob: {} }, commands: { [LIST]: { exitCode: 127 } } });
  await t.throwsAsync(converge(cronPresent, args, without, forReal), {
    message: /this host has no cron/,
  });
  t.deepEqual(await converge(cronAbsent, args, without, forReal), { status: 'unchanged' });
  t.deepEqual([...host.ran, ...without.ran], []);
});

async function minuteOf(name: string): Promise<unknown> {
  const args = cronPresent.schema.parse({ name, minute: 'random' });
  const host = fakeHost({ commands: { 'crontab -u root -l': '' } });
  return (await cronPresent.want(args, host))?.['minute'];
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
  const host = fakeHost({ accounts: { bob: {} } });
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

test('a dry run says that there is nobody to run a command as', async (t) => {
  await t.throwsAsync(converge(cmdRun, { name: 'true', runas: 'bob' }, fakeHost(), dryRun), {
    code: 'COMMAND_FAILED',
    message: 'Cannot run anything as "bob": there is no such user',
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

function aliasCommands(shown: string) {
  const one = ONE_UNIT.replace('nginx.service', 'www.service');
  return { [ALL_UNITS]: shown, [one]: shown };
}

test('a unit that is known by an alias is switched by its real name', async (t) => {
  const linked = unit('active').replace('UnitFileState=enabled', 'UnitFileState=linked');
  const host = fakeHost(
    { commands: aliasCommands(linked) },
    { commands: aliasCommands(unit('active')) },
  );
  await converge(serviceEnabled, { name: 'www' }, host, forReal);
  t.deepEqual(host.ran, ['systemctl enable -- nginx.service']);
});

test('an init script tells by itself whether it is started at boot', async (t) => {
  const generated = unit('active').replace('UnitFileState=enabled', 'UnitFileState=generated');
  const answers = (word: string) =>
    fakeHost({
      commands: { ...unitCommands(generated), 'systemctl is-enabled -- nginx.service': word },
    });
  const name = 'nginx';
  t.like(await converge(serviceEnabled, { name }, answers('disabled\n'), dryRun), {
    change: { to: { enable: true } },
  });
  for (const [type, word] of [
    [serviceDisabled, 'disabled\n'],
    [serviceEnabled, 'enabled\n'],
    [serviceEnabled, 'generated\n'],
    [serviceDisabled, 'generated\n'],
  ] as const)
    t.deepEqual(await converge(type, { name }, answers(word), dryRun), { status: 'unchanged' });
});

test('neither the minion nor what started it is a process to be ended', async (t) => {
  const own = String(process.pid);
  const files = { [`/proc/${own}/status`]: 'Name: node\nPPid:\t77\n' };
  const found = `${own} node minion\n77 sshd\n812 node server\n9 node old\n`;
  const commands = { 'pgrep --full --list-full --euid web -- node': found };
  const args = { name: 'node', user: 'web' };
  t.like(await converge(processAbsent, args, fakeHost({ files, commands }), dryRun), {
    change: { action: 'remove', from: { processes: ['9 node old', '812 node server'] } },
  });
  const everything = { 'pgrep --full --list-full -- .*': `1 /sbin/init\n${found}` };
  const tooMuch = fakeHost({ files, commands: everything });
  await t.throwsAsync(converge(processAbsent, { name: '.*' }, tooMuch, dryRun), {
    code: 'STATE_REFUSED',
    message: /also fits process 1, "\/sbin\/init"/u,
  });
});

test('a unit file is loaded once systemd has read it, and a mask counts as other content', async (t) => {
  const text = '[Service]\nExecStart=/bin/true\n';
  const path = '/etc/systemd/system/nginx.service';
  const args = { name: 'nginx', contents: text };
  const there = { commands: unitCommands(unit('active')), files: { [path]: text } };
  t.deepEqual(await converge(systemdUnit, args, fakeHost(there), dryRun), { status: 'unchanged' });
  const begun = { ...there, registry: { [`systemd.unit:${path}`]: 'begun' } };
  t.like(await converge(systemdUnit, args, fakeHost(begun), dryRun), {
    change: { action: 'update', to: { loaded: true } },
  });
  const masked = { commands: there.commands, links: { [path]: '/dev/null' } };
  await t.throwsAsync(converge(systemdUnit, args, judgedHost(masked), dryRun), {
    message: /it is masked \(a service\.unmasked of it lifts that first\)/u,
  });
  const alias = { commands: there.commands, links: { [path]: 'other.service' } };
  t.like(await converge(systemdUnit, args, judgedHost(alias), dryRun), {
    change: { action: 'update', to: { content: text } },
  });
});

test('a file is waited for with what is to stand in it', async (t) => {
  const host = fakeHost({ files: { '/run/x': 'almost' } });
  const args = { name: '/run/x', contains: 'ready', timeout: 0 };
  await t.throwsAsync(converge(waitFile, args, host, forReal), {
    message: 'Cannot wait for "/run/x" any longer: there is a file without the text after 0 s',
  });
  t.like(await converge(waitFile, { name: '/run/x' }, host, forReal), { status: 'unchanged' });
  t.like(await converge(waitFile, { name: '/run/y', absent: true }, host, forReal), {
    status: 'unchanged',
  });
});
