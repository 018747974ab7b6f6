import { sh, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { openRelay } from './relay.ts';
import type { Relay } from './relay.ts';

/** Where a master listens for its minions. */
export const CHANNEL_PORT = 4510;

const SETTINGS = '/etc/conductor/minion.d/fault.yaml';

/** Does something while the application server's only way to its master leads through a relay. */
export async function throughRelay(
  site: Site,
  work: (relay: Relay) => Promise<string[]>,
): Promise<string[]> {
  const to = { host: site.conductor.address, port: CHANNEL_PORT };
  const relay = await openRelay({ host: site.fleet.gateway, to });
  try {
    await goBy(site, [relay.address]);
    const lost = await work(relay);
    relay.treat({ kind: 'pass' });
    await goBack(site);
    return lost;
  } finally {
    await relay.close();
  }
}

/** The minion's masters are these from now on. */
export async function goBy({ appserver }: Site, masters: readonly string[]): Promise<void> {
  await appserver.write(SETTINGS, `master: ${JSON.stringify(masters)}\n`);
  await sh(appserver, 'systemctl restart conductor-minion');
}

/** The minion's master is the one that it has joined. */
export async function goBack(site: Site): Promise<void> {
  await sh(site.appserver, `rm -f ${SETTINGS}; systemctl restart conductor-minion`);
  await untilOnline(site, ['appserver', 'conductor'], 120);
}

/** Waits until the agent has said something in its log since a moment. */
export async function untilSaid(site: Site, words: string, since: number): Promise<string[]> {
  const log = `journalctl --no-pager -o cat -u conductor-minion --since @${since}`;
  try {
    await until(`the agent to say "${words}"`, 60, async () =>
      (await sh(site.appserver, log)).includes(words),
    );
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
