import { apply, sh, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { lose, loseNothing } from './cable.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { openNameServer } from './name-server.ts';
import type { NameServer } from './name-server.ts';
import { CHANNEL_PORT, goBack, goBy } from './through-relay.ts';

/** The master is not where it was, or not where it is looked for first. */
export const movedMaster: Fault = {
  name: "the master's name gets another address, and the first of several masters are dead",
  rounds: 1,
  usualMinutes: 4,
  isFast: false,
  run: async (setting) => {
    const lost: string[] = [];
    for (let round = 1; round <= setting.rounds; round += 1)
      lost.push(...(await moveByName(setting)), ...(await passDeadOnes(setting)));
    return lost;
  },
};

const NAME = 'master.test';
/** Silence is noticed within 65 s; the attempts after it are near each other. */
const NOTICE_SECONDS = 120;

async function moveByName({ site, log }: FaultSetting): Promise<string[]> {
  const { appserver, conductor, fleet } = site;
  const [first, second] = [conductor.address, `${fleet.gateway.replace(/\.1$/u, '')}.177`];
  const server = await openNameServer(fleet.gateway);
  const kept = await appserver.read('/etc/resolv.conf');
  try {
    server.point(first);
    await appserver.write('/etc/resolv.conf', `nameserver ${fleet.gateway}\n`);
    await goBy(site, [`${NAME}:${CHANNEL_PORT}`]);
    await untilFrom(site, first);
    const lost = [
      ...(await move(site, server, { from: first, to: second, log })),
      ...(await move(site, server, { from: second, to: first, log })),
    ];
    await appserver.write('/etc/resolv.conf', kept);
    await goBack(site);
    return lost;
  } finally {
    await server.close();
  }
}

interface Move {
  readonly from: string;
  readonly to: string;
  readonly log: FaultSetting['log'];
}

/** The old address is gone without a word, as when a machine has died. */
async function move(site: Site, server: NameServer, { from, to, log }: Move): Promise<string[]> {
  const { conductor } = site;
  const device = await sh(conductor, `ip -o -4 address show | awk '/${from}/ {print $2}'`);
  // Only one address is there at any time: removing the first of a network would remove its others.
  await sh(
    conductor,
    `ip address flush dev ${device} scope global; ip address add ${to}/24 dev ${device}`,
  );
  server.point(to);
  const begun = Date.now();
  await untilFrom(site, to);
  log(`from ${from} to ${to}: followed after ${Math.round((Date.now() - begun) / 1000)} s`);
  const { exitCode } = await apply(site, 'appserver');
  return exitCode === 0 ? [] : [`after the move to ${to} an apply exits with ${exitCode}`];
}

/** Waits until the minion has a connection to that address, and the master knows it. */
async function untilFrom(site: Site, address: string): Promise<void> {
  const connections = `ss -Htn state established dst ${address}:${CHANNEL_PORT} | wc -l`;
  await until(`the minion to be connected to ${address}`, NOTICE_SECONDS, async () =>
    ['1', '2'].includes(await sh(site.appserver, connections)),
  );
  await untilOnline(site, ['appserver'], 60);
}

/** One refuses, one does not exist, one swallows what is sent to it; the fourth is the one. */
async function passDeadOnes(setting: FaultSetting): Promise<string[]> {
  const { site, log } = setting;
  const { appserver, conductor, fleet } = site;
  const prefix = fleet.gateway.replace(/\.1$/u, '');
  const swallows = `${prefix}.178`;
  const dead = [
    `${fleet.gateway}:9`,
    `${prefix}.179:${CHANNEL_PORT}`,
    `${swallows}:${CHANNEL_PORT}`,
  ];
  await lose(appserver, 'out', swallows);
  const begun = Date.now();
  await goBy(site, [...dead, `${conductor.address}:${CHANNEL_PORT}`]);
  await untilFrom(site, conductor.address);
  log(`found the fourth after ${Math.round((Date.now() - begun) / 1000)} s`);
  const restarted = Date.now();
  await sh(conductor, 'systemctl restart conductor-master');
  await untilOnline(site, ['appserver'], 240);
  log(`found it again after ${Math.round((Date.now() - restarted) / 1000)} s`);
  const { exitCode } = await apply(site, 'appserver');
  await loseNothing(appserver);
  await goBack(site);
  return exitCode === 0 ? [] : [`an apply exits with ${exitCode}`];
}
