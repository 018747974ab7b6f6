import { setTimeout as after } from 'node:timers/promises';
import test from 'ava';
import { openFleet } from '../hosts/hosts.ts';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { statesOn } from './states-on-host.ts';

/** `reboot.required` on a real host: no case of the contract can be rebooted in the middle of. */

const onHost = await testOnHosts(test);

onHost('a host that needs it is rebooted once the run has ended, and told so once', async (t) => {
  t.timeout(300_000);
  const fleet = await openFleet({ log: (line) => t.log(line) });
  try {
    const host = await fleet.boot({ name: 'reboots', image: 'base' });
    const states = await statesOn(host);
    const args = { name: 'x', reboot: true, delay: 5 };
    t.deepEqual(await states.apply('reboot.required', args), { status: 'unchanged' });
    await host.exec(['touch', '/run/reboot-required']);
    const first = await bootId(host);

    const steps = await states.take('reboot.required', args, ['plan', 'apply', 'apply']);
    t.deepEqual(
      steps.map(({ status }) => status),
      ['would-change', 'changed', 'unchanged'],
    );
    t.is(await bootId(host), first, 'it waits for the end of the run, and then for the delay');

    t.true(await isRebooted(host, first));
    t.like(await states.apply('reboot.required', args), {
      status: 'changed',
      change: { to: { reported: [] } },
    });
    t.deepEqual(await states.apply('reboot.required', args), { status: 'unchanged' });
  } finally {
    await fleet.close();
  }
});

async function bootId(host: Host): Promise<string | null> {
  const path = '/proc/sys/kernel/random/boot_id';
  const answer = await host.exec(['cat', path], { allowFailure: true }).catch(() => null);
  const id = answer?.stdout.trim() ?? '';
  return id === '' ? null : id;
}

async function isRebooted(host: Host, before: string | null): Promise<boolean> {
  for (let waited = 0; waited < 120; waited += 1) {
    const now = await bootId(host);
    if (now !== null && now !== before && (await isUp(host))) return true;
    await after(500);
  }
  return false;
}

async function isUp(host: Host): Promise<boolean> {
  const argv = ['systemctl', 'is-system-running'] as const;
  const answer = await host.exec(argv, { allowFailure: true }).catch(() => null);
  return ['running', 'degraded'].includes(answer?.stdout.trim() ?? '');
}
