import { apply, beginApply, publish, sh, targetOf, TREE, until } from '../e2e/installed-hosts.ts';
import { untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { judgeHistory } from './history.ts';

/** A state that reboots the host, after its run and in the middle of it: each job has one end, and what is asked for meanwhile is done. */
export const reboots: Fault = {
  name: 'a state reboots the host, after the run and in the middle of it',
  rounds: 1,
  usualMinutes: 1.5,
  isFast: false,
  run: rebootBoth,
};

const TOP = 'base:\n  "*": [common]\n  web: [web, reboots]\n';
const AFTER = `reboots:
  reboot.required: {reboot: true, delay: 2}
`;
/** Once only: it is begun again after the reboot. */
const MIDDLE = `reboots:
  cmd.run:
    name: touch /root/rebooted; sync; systemctl reboot; sleep 300
    creates: /root/rebooted
/root/after-reboot:
  file.managed: {contents: after}
`;

async function rebootBoth({ site, rounds, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  await conductor.write(`${TREE}/states/top.yaml`, TOP);
  for (let round = 1; round <= rounds; round += 1) {
    log('after the run');
    await publish(site, 'states/reboots.yaml', `# ${round}\n${AFTER}`);
    await sh(appserver, 'touch /run/reboot-required');
    lost.push(...(await rebootsBy(site, 'changed')).map((loss) => `after the run: ${loss}`));
    log('in the middle of the run');
    await sh(appserver, 'rm -f /root/rebooted /root/after-reboot');
    await publish(site, 'states/reboots.yaml', `# ${round}\n${MIDDLE}`);
    // A shutdown ends the run, which says where it was.
    lost.push(...(await rebootsBy(site, 'cancelled')).map((loss) => `in mid-run: ${loss}`));
    const after = await sh(appserver, 'cat /root/after-reboot || true');
    if (after !== 'after') lost.push('in mid-run: what follows the reboot was not done');
  }
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}

async function rebootsBy(site: Site, end: string): Promise<string[]> {
  const { appserver } = site;
  const before = await bootId(appserver);
  const job = await beginApply(site, 'appserver');
  await until('the host to be another boot', 120, async () => {
    const now = await bootId(appserver).catch(() => before);
    return now !== '' && now !== before;
  });
  const meanwhile = await beginApply(site, 'appserver', '--expires', '+1h');
  await untilOnline(site, ['appserver'], 120);
  await until('all jobs to end', 180, () => allHaveEnded(site));
  const [first, second] = [await targetOf(site, job), await targetOf(site, meanwhile)];
  const { exitCode } = await apply(site, 'appserver');
  return [
    ...(first.state === end ? [] : [`the job is ${first.state}: ${first.error?.message ?? ''}`]),
    ...(/^(?:ok|changed)$/u.test(second.state) ? [] : [`the job meanwhile is ${second.state}`]),
    ...(exitCode === 0 ? [] : [`the next run exits with ${exitCode}`]),
  ];
}

/** What enters a host that goes down may wait there for ever. */
async function bootId(host: Host): Promise<string> {
  const argv = ['cat', '/proc/sys/kernel/random/boot_id'] as const;
  return (await host.exec(argv, { timeoutMs: 5_000 })).stdout.trim();
}
