import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { reachesOne } from '../../../minion/host/network.ts';
import {
  parseRuleset,
  renderRuleset,
  linesOf,
} from '../../../minion/state-types/network/lib/firewall-rules.ts';
import type { Rule } from '../../../minion/state-types/network/lib/firewall-rules.ts';
import { parseHosts, writeHosts } from '../../../minion/state-types/network/lib/hosts-file.ts';
import { firewallPolicy } from '../../../minion/state-types/network/firewall-policy.ts';
import {
  firewallRule,
  firewallRuleAbsent,
} from '../../../minion/state-types/network/firewall-rule.ts';
import { hostAbsent, hostOnly, hostPresent } from '../../../minion/state-types/network/host.ts';
import { portReleased } from '../../../minion/state-types/network/port.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { HostState } from '../../helpers/fake-host.ts';

const HOSTS = '# Ours\n127.0.0.1 localhost\n\n10.0.0.1   a  B # the first\n';

function hostsFile(text: string): HostState {
  return { files: { '/etc/hosts': text } };
}

test('lines of /etc/hosts that do not change stay as they are', (t) => {
  t.is(writeHosts(parseHosts(HOSTS)), HOSTS);
  t.is(writeHosts(parseHosts('')), '');
  t.deepEqual(parseHosts(HOSTS)[3], {
    text: '10.0.0.1   a  B # the first',
    ip: '10.0.0.1',
    names: ['a', 'B'],
    comment: 'the first',
  });
});

test('a name is added to the line of its address, in whatever capitals it stands elsewhere', async (t) => {
  const host = fakeHost(hostsFile(HOSTS));
  await converge(hostPresent, { name: 'c', ip: ['10.0.0.1', '::7'] }, host, forReal);
  const lines = ['# Ours', '127.0.0.1 localhost', '', '10.0.0.1\ta B c\t# the first', '::7\tc'];
  t.is(host.text('/etc/hosts'), `${lines.join('\n')}\n`);
  const same = fakeHost(hostsFile(HOSTS));
  t.is(
    (await converge(hostPresent, { name: 'b', ip: '10.0.0.1' }, same, dryRun)).status,
    'unchanged',
  );
});

test('a name can be left with these addresses only, and an address with these names only', async (t) => {
  const host = fakeHost(hostsFile(`${HOSTS}10.0.0.2 a\n`));
  const declared = { name: 'a', ip: '10.0.0.2' };
  t.is((await converge(hostPresent, declared, host, dryRun)).status, 'unchanged');
  await converge(hostPresent, { ...declared, clean: true }, host, forReal);
  t.true(host.text('/etc/hosts')?.endsWith('10.0.0.1\tB\t# the first\n10.0.0.2 a\n'));
  await converge(hostAbsent, { name: 'A' }, host, forReal);
  t.true(host.text('/etc/hosts')?.endsWith('10.0.0.1\tB\t# the first\n'));
  await converge(hostOnly, { name: '10.0.0.1', hostnames: [] }, host, forReal);
  t.is(host.text('/etc/hosts'), '# Ours\n127.0.0.1 localhost\n\n');
});

const RULE: Rule = {
  name: 'web "1"',
  order: 500,
  chain: 'input',
  proto: 'tcp',
  source: ['10.0.0.0/8', 'fd00::/8', '10.1.0.1'],
  destination: [],
  sport: [],
  dport: ['443', '80'],
  in_interface: ['eth0'],
  out_interface: [],
  connstate: ['new'],
  limit: '10/minute',
  log: true,
  jump: 'accept',
};

test('a rule is a line for each family of its addresses', (t) => {
  const rest =
    'tcp dport { 443, 80 } ct state new limit rate 10/minute log prefix "conductor: " accept';
  t.deepEqual(linesOf(RULE), [
    `iifname "eth0" ip saddr { 10.0.0.0/8, 10.1.0.1 } ${rest}`,
    `iifname "eth0" ip6 saddr fd00::/8 ${rest}`,
  ]);
  t.is(linesOf({ ...RULE, destination: ['::1'] }).length, 1);
  t.deepEqual(linesOf({ ...RULE, source: ['10.0.0.1'], destination: ['::1'] }), []);
  const plain = { source: [], dport: [], in_interface: [], connstate: [], log: false };
  t.deepEqual(linesOf({ ...RULE, ...plain, limit: 'none', jump: 'drop' }), [
    'meta l4proto tcp drop',
  ]);
});

test('the file of the firewall is read as it is written, in the order of its rules', (t) => {
  const first = { ...RULE, name: 'z', order: 1, jump: 'drop' } as const;
  const policy = {
    chain: 'input',
    policy: 'drop',
    established: true,
    loopback: true,
    icmp: false,
  } as const;
  const text = renderRuleset({
    rules: new Map([RULE, first].map((rule) => [rule.name, rule])),
    policies: new Map([['input', policy]]),
  });
  const { rules, policies } = parseRuleset(text);
  t.deepEqual([...rules.keys()], ['z', 'web "1"']);
  t.deepEqual(rules.get('web "1"'), RULE);
  t.deepEqual(policies.get('input'), policy);
  t.is(renderRuleset({ rules, policies }), text);
  t.is(parseRuleset(text.replace('"order":1,', '"order":"1",')).rules.size, 1);
  t.is(parseRuleset(text.replace('# rule {', '# rule {{')).rules.size, 1);
  t.true(
    text.includes('policy drop;\n\t\tct state established,related accept\n\t\tiif lo accept\n'),
  );
});

function refusalOf(declared: object): string | undefined {
  return firewallRule.schema.safeParse({ name: 'x', ...declared }).error?.issues[0]?.message;
}

test('what cannot be meant by a rule is refused', (t) => {
  t.is(refusalOf({ dport: 80 }), 'ports are of tcp, udp or sctp');
  t.is(refusalOf({ out_interface: 'eth0' }), 'packets for this host go over no interface');
  t.is(
    refusalOf({ chain: 'output', in_interface: 'eth0' }),
    'packets from this host come over no interface',
  );
  t.regex(refusalOf({ source: '10.0.0.1', destination: '::1' }) ?? '', /IPv4 at one end/);
  t.truthy(refusalOf({ proto: 'tcp', dport: '80-70' }));
  t.truthy(refusalOf({ proto: 'tcp', dport: 65_536 }));
  t.truthy(refusalOf({ source: '10.0.0.0/33' }));
  t.truthy(refusalOf({ in_interface: 'a"b' }));
  t.is(refusalOf({ proto: 'TCP', dport: ['80', 443, '8000:8100'], jump: 'REJECT' }), undefined);
});

const FIREWALL = {
  'nft --stateless list table inet conductor': '',
  'nft --check --file -': '',
  'systemctl is-active --quiet conductor-firewall-back.timer': { exitCode: 3 },
};

test('a rule that cuts the master off is taken back after twenty seconds', async (t) => {
  const before = { commands: FIREWALL };
  const loaded = { commands: FIREWALL, reachesMaster: false };
  const host = fakeHost(before, loaded);
  const clock = performance.now.bind(performance);
  // Its waiting takes no time here, so the clock has to.
  performance.now = () => clock() + host.slept.reduce((sum, time) => sum + time, 0);
  try {
    await t.throwsAsync(
      converge(firewallPolicy, { name: 'input', policy: 'drop' }, host, forReal),
      {
        code: 'CHECK_FAILED',
        message:
          'Cannot configure the policy of "input": the master could not be reached any more; the old rules are back',
      },
    );
  } finally {
    performance.now = clock;
  }
  t.is(
    host.slept.reduce((sum, time) => sum + time, 0),
    20_000,
  );
  t.true(host.ran.includes('nft --file /run/conductor-firewall-back.nft'));
  t.is(host.text('/etc/conductor/firewall.nft'), null);
  t.is(host.text('/run/conductor-firewall-back.nft'), null);
});

test('a rule is not even tried when the master is away already', async (t) => {
  const host = fakeHost({ commands: FIREWALL, reachesMaster: false });
  await t.throwsAsync(converge(firewallRule, { name: 'web' }, host, forReal), {
    code: 'STATE_REFUSED',
    message: /the master cannot be reached even now/,
  });
  t.deepEqual(host.ran, []);
});

test('a rule that a dead run may still bring back is not absent', async (t) => {
  const died = fakeHost({ commands: FIREWALL, registry: { firewall: 'pending' } });
  const ended = fakeHost({ commands: FIREWALL, registry: { firewall: 'a fingerprint' } });
  const gone = { name: 'web' };
  t.is((await converge(firewallRuleAbsent, gone, died, dryRun)).status, 'would-change');
  t.is((await converge(firewallRuleAbsent, gone, ended, dryRun)).status, 'unchanged');
});

test('a minion reaches its master if one of them takes a new connection', async (t) => {
  const server = createServer().listen(0, '127.0.0.77');
  await once(server, 'listening');
  const port = Object(server.address()).port;
  const { signal } = new AbortController();
  t.true(await reachesOne([], signal), 'who has no master can lose none');
  t.true(await reachesOne(['127.0.0.1:1', `127.0.0.77:${port}`], signal));
  t.true(await reachesOne([`ws://127.0.0.77:${port}`], signal));
  server.close();
  await once(server, 'close');
  t.false(await reachesOne([`127.0.0.77:${port}`, 'wss://[::1]:1'], signal));
});

test('a port that is released may be given to another', async (t) => {
  const host = fakeHost({ registry: { 'port:shop': '20001' } });
  t.is((await converge(portReleased, { name: 'shop' }, host, forReal)).status, 'changed');
  t.deepEqual(host.ran, ['remember port:shop=null']);
  t.deepEqual(await converge(portReleased, { name: 'shop' }, host, forReal), {
    status: 'unchanged',
  });
});
