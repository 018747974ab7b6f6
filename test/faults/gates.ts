import type { Host } from '../hosts/host.ts';
import { attempt, publish, sh, until } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';

/** Where `test/e2e/tree/states/web.yaml` lets a run be stopped: before any effect, with a restart owed, after all states. */
export const GATES = ['first', 'owed', 'last'] as const;

export type Gate = (typeof GATES)[number];

export const MINION_STATE = '/var/lib/conductor/minion';

export async function shutGate(host: Host, gate: Gate): Promise<void> {
  await sh(host, `rm -f /root/at/*; touch /root/gate/${gate}`);
}

export async function openGates(host: Host): Promise<void> {
  await sh(host, 'rm -f /root/gate/* /root/at/*');
}

/** Whether a run comes to the gate in that time. */
export async function comesTo(host: Host, gate: Gate, seconds: number): Promise<boolean> {
  try {
    await until(`a run to come to the gate "${gate}"`, seconds, async () =>
      (await sh(host, 'ls /root/at')).split('\n').includes(gate),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('waited ')) return false;
    throw error;
  }
}

/** New settings for the service of the tree, so that a run has something to do and a restart is owed. */
export async function askForVersion(site: Site, version: number): Promise<void> {
  await publish(site, 'pillars/web.yaml', `web:\n  title: First\n  version: ${version}\n`);
}

/** What is not as it was asked for on the host; `null` if the service runs on the new settings and nothing is owed. */
export async function lackingOf(host: Host, version: number): Promise<string | null> {
  const config = await sh(host, 'cat /etc/web.conf');
  if (!new RegExp(`^version = ${version}$`, 'mu').test(config))
    return `/etc/web.conf has not version ${version}: ${JSON.stringify(config.slice(0, 200))}`;
  const last = await sh(host, 'tail -n 1 /var/log/web-starts');
  if (last !== (await sh(host, 'sha256sum </etc/web.conf')))
    return 'the service does not run on its settings';
  const active = await attempt(host, ['systemctl', 'is-active', 'web']);
  if (active.stdout.trim() !== 'active') return `the service is ${active.stdout.trim()}`;
  const owed = await attempt(host, [
    'grep',
    '--count',
    '"owed": \\[\\]',
    `${MINION_STATE}/owed.json`,
  ]);
  return owed.stdout.trim() === '1' ? null : 'reactions are still owed';
}

export async function mainProcess(host: Host, unit: string): Promise<string> {
  return sh(host, `systemctl show -P MainPID ${unit}`);
}
