import { sh, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { lose } from './cable.ts';
import { collectHistory } from './collect.ts';
import { disturbRun } from './disturbed-run.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { judgeHistory } from './history.ts';

/** The master loses its power: its connections stay as they are, with nobody at their other end. */
export const halfOpen: Fault = {
  name: 'the master loses its power, with and without something on its way to it',
  rounds: 1,
  usualMinutes: 3,
  isFast: false,
  load: 'idle',
  run: pullPlugs,
};

async function pullPlugs(setting: FaultSetting): Promise<string[]> {
  const { site, log, rounds } = setting;
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    log('the minion has nothing to say');
    lost.push(...(await pullWhileIdle(setting)));
    const powerOff = {
      name: 'the minion has a report to send',
      seconds: 75,
      isSeen: false,
      begin: losePower,
      end: async ({ conductor }: Site) => {
        lost.push(...(await unlessNoticed(site)));
        await conductor.bootAgain();
      },
    };
    lost.push(...(await disturbRun(setting, powerOff)));
  }
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}

/** Nothing comes out of it first: the kernel of a test host tells peers of processes that are killed, one without power does not. */
async function losePower({ conductor, appserver }: Site): Promise<void> {
  await lose(conductor, 'out', appserver.address);
  await conductor.powerOff();
}

async function pullWhileIdle({ site, log }: FaultSetting): Promise<string[]> {
  const { conductor } = site;
  await losePower(site);
  const begun = Date.now();
  const lost = await unlessNoticed(site);
  log(`noticed after ${Math.round((Date.now() - begun) / 1000)} s`);
  await conductor.bootAgain();
  await untilOnline(site, ['appserver', 'conductor'], 120);
  return lost;
}

/** A ping every 20 s, dead after 45 s: by then at the latest. */
const NOTICE_SECONDS = 75;

/** An agent that no longer believes in its connection says so in its log. */
async function unlessNoticed({ appserver }: Site): Promise<string[]> {
  const last =
    'journalctl --no-pager -o cat -u conductor-minion | grep -E "onnect|reached" | tail -n 1';
  try {
    await until('the agent to notice', NOTICE_SECONDS, async () =>
      /ended|not reached/u.test(await sh(appserver, last)),
    );
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
