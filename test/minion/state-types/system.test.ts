import test from 'ava';
import { cronPresent } from '../../../minion/state-types/system/cron.ts';
import { luksOpened } from '../../../minion/state-types/system/luks.ts';
import { mountMounted } from '../../../minion/state-types/system/mount.ts';
import { rebootRequired } from '../../../minion/state-types/system/reboot.ts';
import { parseAccessLists } from '../../../minion/state-types/system/lib/acl-tree.ts';
import { assignmentLine, assignmentsOf } from '../../../minion/state-types/system/lib/crontab.ts';
import {
  variablesIn,
  withVariables,
} from '../../../minion/state-types/system/lib/environment-file.ts';
import { linesOf, withEntry } from '../../../minion/state-types/system/lib/fstab.ts';
import {
  defaultLocale,
  isGenerated,
  supportedLine,
} from '../../../minion/state-types/system/lib/locales.ts';
import { hasKeySlot } from '../../../minion/state-types/system/lib/luks.ts';
import { hasOptions, parseMountinfo, spotOf } from '../../../minion/state-types/lib/mount-table.ts';
import type { Mount } from '../../../minion/state-types/lib/mount-table.ts';
import {
  parameterPath,
  readAfter,
  settingIn,
} from '../../../minion/state-types/system/lib/sysctl-conf.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';

test('names of kernel parameters are read as sysctl reads them', (t) => {
  t.is(parameterPath('net.ipv4.conf.eth0/100.forwarding'), 'net/ipv4/conf/eth0.100/forwarding');
  t.is(parameterPath('net/ipv4/conf/eth0.100/forwarding'), 'net/ipv4/conf/eth0.100/forwarding');
  const text = '# vm.swappiness=1\nvm/swappiness = 2\n-vm.swappiness=3\n; x\n';
  t.is(settingIn(text, 'vm.swappiness'), '3');
  t.is(settingIn(text, 'vm.other'), null);
});

test('files of sysctl.d are read by their names, one of each from the directory that counts', async (t) => {
  const files = ['/etc/sysctl.d/60-a.conf', '/usr/lib/sysctl.d/60-a.conf'];
  const others = ['/run/sysctl.d/99-b.conf', '/etc/sysctl.d/40-c.conf', '/etc/sysctl.d/99-README'];
  const host = fakeHost({
    files: Object.fromEntries([...files, ...others].map((one) => [one, ''])),
  });
  t.deepEqual(await readAfter('/etc/sysctl.d/50-own.conf', host), [
    '/etc/sysctl.d/60-a.conf',
    '/run/sysctl.d/99-b.conf',
  ]);
  t.deepEqual(await readAfter('/etc/sysctl.d/99-zz.conf', host), []);
  t.deepEqual(await readAfter('/etc/sysctl.conf', host), [], 'who reads it differs');
});

const MOUNTS = parseMountinfo(
  [
    '22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro',
    '23 22 254:2 /sub /srv rw,noexec - ext4 /dev/vdb ro,data=ordered',
    '24 22 0:40 / /srv/a\\040b rw,nosuid - tmpfs cache rw,size=4096k,mode=750',
  ].join('\n'),
);

const NOWHERE: Mount = { number: '', root: '', path: '', fstype: '', source: '', options: [] };

test('mounts are read with the spaces in their names, and where a path is on a file system', (t) => {
  t.is(MOUNTS[2]?.path, '/srv/a b');
  t.deepEqual(spotOf(MOUNTS, '/srv/one/two'), { number: '254:2', root: '/sub/one/two' });
  t.deepEqual(spotOf(MOUNTS, '/srv/a b'), { number: '0:40', root: '/' });
});

test('options of a mount are compared as far as the kernel shows them', (t) => {
  const [root = NOWHERE, srv = NOWHERE, cache = NOWHERE] = MOUNTS;
  t.true(hasOptions(cache, ['defaults', 'size=4m', 'mode=0750', 'nosuid', 'nofail', 'x-a=b']));
  t.false(hasOptions(cache, ['size=5m']));
  t.false(hasOptions(cache, ['suid']));
  t.false(hasOptions(cache, ['noexec']));
  t.false(hasOptions(srv, ['rw']), 'the file system is read only, though the mount is not');
  t.false(hasOptions(srv, ['data=journal']));
  t.true(hasOptions(srv, ['commit=30', 'user_xattr']), 'the kernel does not tell');
  t.true(hasOptions(root, ['exec', 'relatime', 'errors=remount-ro']));
});

const isIt = ({ path }: { path: string }): boolean => path === '/data x';

test('a line of fstab is replaced where it stands, and all others stay byte for byte', (t) => {
  const text =
    '# mine\r\n/dev/a  /data\\040x/  ext4\n\tnone\n/dev/b /data\\040x xfs rw 0 1\n/dev/c /c ext4';
  t.is(linesOf(text, isIt), '/dev/a /data\\040x ext4 defaults 0 0\n/dev/b /data\\040x xfs rw 0 1');
  const entry = { device: 'U=#1', path: '/data x', fstype: 'xfs', opts: 'ro', dump: 0, pass: 2 };
  t.is(
    withEntry(text, isIt, entry),
    '# mine\r\nU=\\0431 /data\\040x xfs ro 0 2\n\tnone\n/dev/c /c ext4\n',
  );
  t.is(withEntry('', isIt, entry), 'U=\\0431 /data\\040x xfs ro 0 2\n');
  t.is(withEntry('/dev/b /data\\040x xfs\n', isIt, null), '');
});

test('a device is refused as blank in a dry run already, and nothing is run', async (t) => {
  const args = { name: 'data', device: '/dev/vdb', key: 'hunter2', format: true };
  const host = fakeHost({
    statuses: { '/dev/vdb': { kind: 'other' } },
    commands: {
      'cryptsetup --disable-locks luksDump -- /dev/vdb': { exitCode: 1 },
      'blkid --probe --output export -- /dev/vdb': 'DEVNAME=/dev/vdb\nPTTYPE=dos\n',
    },
  });
  await t.throwsAsync(converge(luksOpened, args, host, dryRun), { message: /it is not blank/ });
  t.deepEqual(host.ran, []);
});

test('the key of a volume goes by standard input, through every step', async (t) => {
  const before = {
    statuses: { '/dev/vdb': { kind: 'other' as const } },
    commands: {
      'cryptsetup --disable-locks luksDump -- /dev/vdb': { exitCode: 1 },
      'blkid --probe --output export -- /dev/vdb': { exitCode: 2 },
      'cmp --silent --bytes=1048576 -- /dev/vdb /dev/zero': '',
    },
  };
  const host = fakeHost(before);
  const args = { name: 'data', device: '/dev/vdb', key: 'hunter2\n', format: true };
  await t.throwsAsync(converge(luksOpened, args, host, forReal), { code: 'STATE_NOT_CONVERGED' });
  t.deepEqual(host.ran, [
    'cryptsetup luksFormat --batch-mode --type luks2 --key-file=- -- /dev/vdb',
    'cryptsetup open --type luks --key-file=- -- /dev/vdb data',
  ]);
  t.deepEqual(
    host.calls.map(({ options }) => options.input),
    ['hunter2', 'hunter2'],
  );
});

test('a header without a key is what is left of a format that was cut short', (t) => {
  t.true(hasKeySlot('Keyslots:\n  0: luks2\n\tKey: 512 bits\nTokens:\n'));
  t.true(hasKeySlot('Version: 1\nKey Slot 0: ENABLED\nKey Slot 1: DISABLED\n'));
  t.false(hasKeySlot('Data segments:\n  0: crypt\nKeyslots:\nTokens:\n'));
});

test('locales are the same however their names are written', (t) => {
  t.true(isGenerated('he_IL.UTF-8', 'C\nhe_IL.utf8\n'));
  t.true(isGenerated('de_DE@euro', 'de_DE@euro\n'));
  t.false(isGenerated('he_IL', 'he_IL.utf8\n'));
  t.is(supportedLine('he_IL.UTF-8', 'he_IL.UTF-8 UTF-8\nhe_IL ISO-8859-8\n'), 'he_IL.UTF-8 UTF-8');
  t.is(supportedLine('he_IL', 'he_IL.UTF-8 UTF-8\nhe_IL ISO-8859-8\n'), 'he_IL ISO-8859-8');
  t.is(supportedLine('he_IL.X', 'he_IL.UTF-8 UTF-8\n'), null);
  t.is(defaultLocale('#LANG=a\nLANG="C.UTF-8"\n'), 'C.UTF-8');
});

test('variables of /etc/environment are set where they stand', (t) => {
  const text = '# x\nexport A="1"\nB=2\nA=3\n';
  t.deepEqual(
    [...variablesIn(text)],
    [
      ['A', '3'],
      ['B', '2'],
    ],
  );
  t.is(withVariables(text, { A: 'x y', B: null, C: 'ש' }), `# x\nA="x y"\nC="\u00d7\u00a9"\n`);
});

test('variables of a crontab are read without their quotes', (t) => {
  const lines = ['A = "x y"', "A='z'", '5 4 * * * A=b'];
  t.deepEqual(assignmentsOf(lines, 'A'), [
    { at: 0, value: 'x y' },
    { at: 1, value: 'z' },
  ]);
  t.is(assignmentLine('A', 'x y'), 'A=x y');
  t.is(assignmentLine('A', ' x'), 'A=" x"');
  t.is(assignmentLine('A', ''), 'A=""');
});

async function minuteOf(identifier: string): Promise<unknown> {
  const args = cronPresent.schema.parse({ name: '/bin/x', identifier, minute: 'random' });
  const host = fakeHost({ commands: { 'crontab -u root -l': '' } });
  return (await cronPresent.want(args, host))?.['minute'];
}

test('a random minute is the same on every run, and another for another line', async (t) => {
  t.is(await minuteOf('a'), await minuteOf('a'));
  t.not(await minuteOf('a'), await minuteOf('b'));
});

test('access lists are read with names that hold spaces and backslashes', (t) => {
  const text =
    '# file: /srv/a\\040b\\\\c\n# owner: root\nuser::rw-\nuser:dana:r--\nmask::r--\ndefault:other::---\n\n# file: /x\nuser::r--\n';
  const lists = parseAccessLists(text);
  t.deepEqual(
    [...(lists.get('/srv/a b\\c') ?? [])],
    [
      ['user:', 'rw-'],
      ['user:dana', 'r--'],
      ['mask', 'r--'],
      ['default:other', '---'],
    ],
  );
  t.is(lists.get('/x')?.get('user:'), 'r--');
});

test('a host is rebooted only if it needs it, and the run ends first', async (t) => {
  const after = {
    files: { '/run/reboot-required': '' },
    commands: { 'systemctl is-active --quiet conductor-reboot.service': '' },
  };
  const before = {
    files: { '/run/reboot-required': '' },
    commands: { 'systemctl is-active --quiet conductor-reboot.service': { exitCode: 3 } },
  };
  const host = fakeHost(before, after);
  await converge(rebootRequired, { name: 'x', reboot: true, delay: 7 }, host, forReal);
  t.is(host.calls.length, 1);
  t.deepEqual(host.calls[0]?.argv.slice(-2), [String(process.pid), '7']);
  t.is(host.calls[0]?.argv[0], 'systemd-run');
});

function opts(text: string): boolean {
  const args = { name: '/a', device: 'b', fstype: 'cifs', opts: text };
  return mountMounted.schema.safeParse(args).success;
}

test('options of a mount never hold a password', (t) => {
  t.false(opts('password=x'));
  t.false(opts('ro,passwd=x'));
  t.true(opts('credentials=/etc/c,ro'));
});
