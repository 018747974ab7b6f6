import { apply, attempt, sh, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, MINION_STATE } from './gates.ts';
import { lackingAfterNextRun } from './next-run.ts';

/** A disk that is full, has no inode left or has become read-only, where files are kept: one clear error each, and no operator. */
export const fullDisk: Fault = {
  name: 'a disk is full, without inodes or read-only',
  rounds: null,
  usualMinutes: 4,
  isFast: false,
  run: fillDisks,
};

const MASTER_STATE = '/var/lib/conductor/master';
const SMALL = '/srv/small';
const TREE = '/root/small';

async function fillDisks({ site, random, log }: FaultSetting): Promise<string[]> {
  const version = 1_000 + random.below(1_000_000);
  const lost: string[] = [];
  for (const [name, one] of Object.entries({ targetDirectory, minionState, masterStore })) {
    log(name);
    lost.push(...(await one(site, version)).map((loss) => `${name}: ${loss}`));
  }
  return lost;
}

/** What takes the place, what is said of it, and how it is put right. */
const TARGETS = [
  ['size=64k', `head -c 1M /dev/zero >${SMALL}/filler`, 'the disk is full', `rm ${SMALL}/filler`],
  [
    'size=1m,nr_inodes=4',
    `touch ${SMALL}/1 ${SMALL}/2 ${SMALL}/3`,
    'the disk is full',
    `rm ${SMALL}/?`,
  ],
  [
    'size=1m',
    `mount -o remount,ro ${SMALL}`,
    'file system is read-only',
    `mount -o remount,rw ${SMALL}`,
  ],
] as const;

async function targetDirectory({ appserver }: Site): Promise<string[]> {
  const lost: string[] = [];
  await appserver.write(`${TREE}/states/top.yaml`, 'base:\n  "*": [small]\n');
  await appserver.write(
    `${TREE}/states/small.yaml`,
    `${SMALL}/file:\n  file.managed: {contents: small}\n`,
  );
  for (const [options, take, words, give] of TARGETS) {
    await sh(
      appserver,
      `mkdir -p ${SMALL}; mount -t tmpfs -o ${options} tmpfs ${SMALL}; ${take} 2>&1 || true`,
    );
    const failed = await attempt(appserver, ['minion', 'apply', '--tree', TREE]);
    if (failed.exitCode !== 2) lost.push(`${options}: a run exits with ${failed.exitCode}`);
    if (failed.output.split(words).length !== 2)
      lost.push(`${options}: it does not say once "${words}": ${failed.output}`);
    if ((await sh(appserver, `ls -A ${SMALL}`)).includes('conductor'))
      lost.push(`${options}: a part of a file is left`);
    await sh(appserver, give);
    const next = await attempt(appserver, ['minion', 'apply', '--tree', TREE]);
    if (next.exitCode !== 0)
      lost.push(`${options}: the next run exits with ${next.exitCode}: ${next.output}`);
    await sh(appserver, `umount ${SMALL}`);
  }
  return lost;
}

async function minionState(site: Site, version: number): Promise<string[]> {
  const { appserver } = site;
  await moveToSmallDisk(appserver, 'conductor-minion', MINION_STATE);
  await untilOnline(site, ['appserver'], 120);
  await askForVersion(site, version);
  await sh(appserver, `cat /dev/zero >${MINION_STATE}/filler 2>/dev/null || true`);
  const failed = await apply(site, 'appserver');
  const said = failed.targets[0]?.error?.message ?? '';
  const lost = /the disk is full/u.test(said) ? [] : [`it says "${said}" (${failed.exitCode})`];
  await sh(appserver, `rm ${MINION_STATE}/filler`);
  return [
    ...lost,
    ...(await lackingAfterNextRun(site, version)),
    ...(await moveBack(site, 'conductor-minion', MINION_STATE)),
  ];
}

async function masterStore(site: Site, version: number): Promise<string[]> {
  const { conductor, appserver } = site;
  await moveToSmallDisk(conductor, 'conductor-master', MASTER_STATE);
  await untilOnline(site, ['appserver'], 120);
  await sh(conductor, `cat /dev/zero >${MASTER_STATE}/filler 2>/dev/null || true`);
  const failed = await attempt(conductor, ['master', 'apply', '--target', 'appserver', '--json']);
  const lost = /the disk is full/u.test(failed.output) ? [] : [`it says ${failed.output}`];
  if (failed.exitCode === 0) lost.push('an apply without room in the store exits with 0');
  const refreshed = await attempt(appserver, ['minion', 'agent', '--refresh-now']);
  if (refreshed.exitCode !== 0) lost.push(`a refresh exits with ${refreshed.exitCode}`);
  await sh(conductor, `rm ${MASTER_STATE}/filler`);
  await until(
    'the report to be taken',
    120,
    async () => (await sh(appserver, `ls ${MINION_STATE}/spool`)) === '',
  );
  return [
    ...lost,
    ...(await lackingAfterNextRun(site, version)),
    ...(await moveBack(site, 'conductor-master', MASTER_STATE)),
  ];
}

/** The same files with the same owners, on a file system of 12 MB over their place. */
async function moveToSmallDisk(host: Host, unit: string, directory: string): Promise<void> {
  await sh(
    host,
    `systemctl stop ${unit}; cp -a ${directory} /root/kept; mount -t tmpfs -o size=12m tmpfs ${directory}
     cp -a /root/kept/. ${directory}; systemctl start ${unit}`,
  );
}

async function moveBack(site: Site, unit: string, directory: string): Promise<string[]> {
  const host = unit === 'conductor-master' ? site.conductor : site.appserver;
  await sh(
    host,
    `systemctl stop ${unit}; rm -rf /root/kept; cp -a ${directory} /root/kept; umount ${directory}
     find ${directory} -mindepth 1 -delete; cp -a /root/kept/. ${directory}; rm -rf /root/kept
     systemctl reset-failed ${unit}; systemctl start ${unit}`,
  );
  await untilOnline(site, ['appserver', 'conductor'], 120);
  return [];
}
