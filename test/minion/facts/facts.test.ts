import test from 'ava';
import { addressesOf } from '../../../minion/facts/addresses.ts';
import { parseMounts, readDisks } from '../../../minion/facts/disks.ts';
import { readFacts } from '../../../minion/facts/facts.ts';
import { fqdnOf } from '../../../minion/facts/fqdn.ts';
import { listeningPorts, parseListening } from '../../../minion/facts/listening.ts';
import { parseMeminfo } from '../../../minion/facts/memory.ts';
import { parseOsRelease } from '../../../minion/facts/os-release.ts';
import { pythonVersions } from '../../../minion/facts/python.ts';
import { virtualOf } from '../../../minion/facts/virtual.ts';
import { createServer } from 'node:net';

test('tells Debian from what comes of it', (t) => {
  const debian = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
`;
  t.deepEqual(parseOsRelease(debian), {
    os: 'Debian',
    os_family: 'Debian',
    release: '12',
    codename: 'bookworm',
  });
  t.like(parseOsRelease('ID=ubuntu\nID_LIKE=\'debian\'\nVERSION_ID="24.04"\n'), {
    os: 'Ubuntu',
    os_family: 'Debian',
    release: '24.04',
    codename: '',
  });
});

test('reads memory in MiB', (t) => {
  const text =
    'MemTotal:        4015824 kB\nMemFree:          147048 kB\nSwapTotal:             0 kB\n';
  t.deepEqual(parseMeminfo(text), { memory: 3921, swap: 0 });
});

test('lists each disk once, and nothing that is none', (t) => {
  const mounts = `proc /proc proc rw 0 0
/dev/vda1 / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /srv/two\\040words xfs rw 0 0
/dev/vda1 /srv/bind ext4 rw 0 0
/dev/loop3 /snap/x squashfs ro 0 0
`;
  t.deepEqual(parseMounts(mounts), [
    { device: '/dev/vda1', mount: '/', type: 'ext4' },
    { device: '/dev/vdb', mount: '/srv/two words', type: 'xfs' },
  ]);
  t.true((readDisks([{ device: 'x', mount: '/', type: 'y' }])[0]?.size ?? 0) > 0);
});

function entry(address: string, internal = false) {
  const common = { address, internal, netmask: '', mac: '', cidr: null };
  return address.includes(':')
    ? { ...common, family: 'IPv6' as const, scopeid: 0 }
    : { ...common, family: 'IPv4' as const };
}

test('lists addresses that others can reach, IPv4 first', (t) => {
  const found = {
    lo: [entry('127.0.0.1', true)],
    eth1: [entry('fe80::1'), entry('2001:db8::1'), entry('10.0.0.2')],
    eth0: [entry('192.0.2.7')],
    eth2: [entry('169.254.3.4')],
  };
  t.deepEqual(addressesOf(found), {
    addresses: ['192.0.2.7', '10.0.0.2', '2001:db8::1'],
    interfaces: { eth0: ['192.0.2.7'], eth1: ['10.0.0.2', '2001:db8::1'] },
  });
});

test('finds the full name of a host without asking anybody', (t) => {
  const hosts = '127.0.0.1 localhost\n127.0.1.1 web.example.org web # web.wrong.org\n';
  t.is(fqdnOf('web', hosts), 'web.example.org');
  t.is(fqdnOf('db', hosts), 'db');
  t.is(fqdnOf('db.example.net', hosts), 'db.example.net');
});

test('lists Python versions, newest first', (t) => {
  const programs = ['python3', 'python3.9', 'python3.11', 'python3.11-config', 'perl', 'python3.9'];
  t.deepEqual(pythonVersions(programs), ['3.11', '3.9']);
});

test('tells containers from virtual machines and bare metal', (t) => {
  t.deepEqual(virtualOf('systemd-nspawn\n'), {
    virtual: 'container',
    virtualisation: 'systemd-nspawn',
  });
  t.deepEqual(virtualOf('kvm\n'), { virtual: 'vm', virtualisation: 'kvm' });
  t.deepEqual(virtualOf('none\n'), { virtual: 'none', virtualisation: 'none' });
});

test('reads ports from the table of the kernel, and only those that listen', (t) => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000
   1: 00000000:0016 00000000:0000 0A 00000000:00000000
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000
`;
  t.deepEqual(parseListening(table), [22, 5432]);
});

test('sees a port as soon as something listens on it', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  t.true(typeof address === 'object' && address !== null && listeningPorts().has(address.port));
  server.close();
});

test('knows this machine as plain data', async (t) => {
  const facts = await readFacts();
  t.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
  t.true(facts.cpus > 0 && facts.memory > 0 && facts.kernel !== '' && facts.init !== '');
  t.regex(facts.architecture, /^[a-z0-9]+$/u);
  t.true(facts.disks.length > 0);
});
