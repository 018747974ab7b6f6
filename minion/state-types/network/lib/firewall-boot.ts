import type { Host, HostView } from '../../../host/host.ts';

/** How the rules of the firewall outlive a restart of the machine. */

const DIRECTORY = '/etc/conductor';
export const RULES = `${DIRECTORY}/firewall.nft`;
const UNIT = 'conductor-firewall.service';
const UNIT_PATH = `/etc/systemd/system/${UNIT}`;
const AT_BOOT = `/etc/systemd/system/sysinit.target.wants/${UNIT}`;

const UNIT_TEXT = `# Made by Conductor.
[Unit]
Description=Firewall rules of Conductor
DefaultDependencies=no
ConditionPathExists=${RULES}
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
After=nftables.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft --file ${RULES}
ExecReload=/usr/sbin/nft --file ${RULES}

[Install]
WantedBy=sysinit.target
`;

/** Debian's own service of nftables flushes everything whenever it is started or reloaded. */
const DROP_IN_DIRECTORY = '/etc/systemd/system/nftables.service.d';
const DROP_IN_PATH = `${DROP_IN_DIRECTORY}/conductor.conf`;
const DROP_IN_TEXT = `# Made by Conductor.
[Service]
ExecStartPost=-/usr/sbin/nft --file ${RULES}
ExecReload=-/usr/sbin/nft --file ${RULES}
`;

/** Writes the rules down, and has them loaded whenever the machine starts. */
export async function keepForBoot(host: Host, text: string): Promise<void> {
  if ((await host.status(DIRECTORY)) === null) await host.makeDirectory(DIRECTORY);
  await host.writeFile(RULES, text, { user: 'root', group: 'root', mode: '0600' });
  if (await isPersisted(host)) return;
  if ((await host.status(DROP_IN_DIRECTORY)) === null) await host.makeDirectory(DROP_IN_DIRECTORY);
  const ownership = { user: 'root', group: 'root', mode: '0644' };
  await host.writeFile(DROP_IN_PATH, DROP_IN_TEXT, ownership);
  await host.writeFile(UNIT_PATH, UNIT_TEXT, ownership);
  await host.run(['systemctl', 'daemon-reload']);
  await host.run(['systemctl', 'enable', '--now', '--quiet', UNIT]);
}

/** Whether the rules are loaded when the machine starts, and whenever somebody else flushes them. */
export async function isPersisted(host: HostView): Promise<boolean> {
  const isUnit = (await textOf(UNIT_PATH, host)) === UNIT_TEXT;
  const isDropIn = (await textOf(DROP_IN_PATH, host)) === DROP_IN_TEXT;
  return isUnit && isDropIn && (await host.status(AT_BOOT)) !== null;
}

export async function textOf(path: string, host: HostView): Promise<string | null> {
  const bytes = await host.readFile(path);
  return bytes === null ? null : Buffer.from(bytes).toString();
}
