import { sh } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { converges, disturbInTheMiddle } from './gated-run.ts';

/** What a run needs goes away while it is at work: each state that needs it fails by one clear message, nothing is left half. */
export const midRun: Fault = {
  name: 'a file system becomes read-only, or no file can be opened, in mid-run',
  rounds: null,
  usualMinutes: 1,
  isFast: false,
  run: takeAway,
};

const TREE = '/root/mid-run';
const PLACE = '/srv/mid-run';

const SHORTAGES = {
  'read-only': {
    take: `mount -o remount,ro ${PLACE}`,
    give: `mount -o remount,rw ${PLACE}`,
    words: 'file system is read-only',
  },
  'no descriptor': {
    take: 'prlimit --nofile=3:3 --pid "$(systemctl show -P MainPID run)"',
    give: 'true',
    words: 'too many open files',
  },
} as const;

async function takeAway({ site: { appserver }, log }: FaultSetting): Promise<string[]> {
  const lost: string[] = [];
  await sh(appserver, `mkdir -p ${PLACE}; mount -t tmpfs -o size=1m tmpfs ${PLACE}`);
  for (const [name, shortage] of Object.entries(SHORTAGES)) {
    log(name);
    lost.push(...(await runShort(appserver, name, shortage)).map((loss) => `${name}: ${loss}`));
  }
  await sh(appserver, `umount ${PLACE}`);
  return lost;
}

async function runShort(
  host: Host,
  name: string,
  { take, give, words }: (typeof SHORTAGES)[keyof typeof SHORTAGES],
): Promise<string[]> {
  const file = (path: string): string =>
    `${PLACE}/${path}:\n  file.managed: {contents: "${name}"}\n`;
  const said = await disturbInTheMiddle(
    host,
    { tree: TREE, before: file('before'), after: file('after') },
    async () => sh(host, take),
  );
  await sh(host, give);
  const lost = said.includes(words) ? [] : [`it does not say "${words}": ${said}`];
  if (!/3 states: [12] failed, [12] changed/u.test(said)) lost.push(`its report is ${said}`);
  if ((await sh(host, `ls -A ${PLACE}`)).includes('conductor'))
    lost.push('a part of a file is left');
  return [...lost, ...(await converges(host, TREE))];
}
