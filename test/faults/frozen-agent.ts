import { beginApply, sh, targetOf, until } from '../e2e/installed-hosts.ts';
import { collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, lackingOf, mainProcess } from './gates.ts';
import { judgeHistory } from './history.ts';

/** A job for an agent that is connected and does nothing: who waits for it is told so, and it is done when the agent goes on. */
export const frozenAgent: Fault = {
  name: 'a job is sent to an agent that was stopped just before (SIGSTOP)',
  rounds: 1,
  usualMinutes: 1,
  isFast: true,
  load: 'idle',
  run: sendToFrozen,
};

async function sendToFrozen({ site, random, rounds, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const version = 1_000 + random.below(1_000_000);
    await askForVersion(site, version);
    const agent = await mainProcess(appserver, 'conductor-minion');
    await sh(appserver, `kill -STOP ${agent}`);
    const job = await beginApply(site, 'appserver');
    const begun = Date.now();
    await until('the job to be shown as not answered', 60, async () =>
      (await sh(conductor, `master jobs show ${job}`)).includes('the minion does not answer'),
    );
    log(`shown after ${Math.round((Date.now() - begun) / 1000)} s`);
    await sh(appserver, `kill -CONT ${agent}`);
    await until('the job to end', 60, async () => (await targetOf(site, job)).state === 'changed');
    const lacking = await lackingOf(appserver, version);
    if (lacking !== null) lost.push(lacking);
  }
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}
