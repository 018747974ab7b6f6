import { z } from 'zod';
import { apply, attempt, sh, statusOf, TREE, until } from '../e2e/installed-hosts.ts';
import { collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { lackingOf } from './gates.ts';
import { judgeHistory } from './history.ts';

/** Somebody saves a file again and again, each time in two halves, while the tree is read and applied. */
export const movingTree: Fault = {
  name: 'the tree changes while it is read, and half of a file is there',
  rounds: 20,
  usualMinutes: 1,
  isFast: false,
  run: applyMeanwhile,
};

/** The first half of it cannot be read: the text has no end. */
const SAVE = `for version in $(seq 1 4000); do
  test -e /root/saved-enough && break
  printf 'web:\\n  title: "Fir' >${TREE}/pillars/web.yaml
  sleep 0.$((RANDOM % 6))
  printf 'st"\\n  version: %d\\n' $version >>${TREE}/pillars/web.yaml
  sleep 0.$((RANDOM % 6))
done
echo $version >/root/last-saved`;

const APPLY = ['master', 'apply', '--target', 'appserver', '--json'] as const;
const applied = z.object({ revision: z.string() });

async function applyMeanwhile({ site, rounds, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  await conductor.write('/root/save', SAVE);
  await sh(
    conductor,
    'rm -f /root/saved-enough /root/last-saved; systemd-run --quiet --collect --unit=saves /bin/bash /root/save',
  );
  const [revisions, refusals] = [new Set<string>(), { count: 0 }];
  for (let round = 1; round <= rounds; round += 1) {
    const { exitCode, stdout, output } = await attempt(conductor, APPLY);
    // While half of it is there, whoever applies it is told so, and nothing is touched.
    const isRefused = exitCode === 4 && output.includes('pillars/web.yaml:2:');
    if (exitCode === 0) revisions.add(applied.parse(JSON.parse(stdout)).revision);
    else if (isRefused) refusals.count += 1;
    else lost.push(`run ${round} exits with ${exitCode}: ${output.slice(0, 500)}`);
  }
  log(`${revisions.size} revisions in ${rounds - refusals.count} runs, ${refusals.count} refused`);
  await sh(conductor, 'touch /root/saved-enough');
  await until('the last save', 60, async () => (await sh(conductor, 'ls /root')).includes('last-'));
  const version = Number(await sh(conductor, 'cat /root/last-saved')) - 1;
  await until('the tree to be whole', 30, async () => (await statusOf(site)).broken === null);
  await until(`version ${version} to be there`, 60, async () => {
    await apply(site, 'appserver');
    return (await lackingOf(appserver, version)) === null;
  });
  if (revisions.size < 2) lost.push('the tree did not change meanwhile');
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}
