import { apply, publish, sh, TREE } from '../e2e/installed-hosts.ts';
import { collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { judgeHistory } from './history.ts';

/** Commands that do not end when they are told to: the run goes on without them, and nothing of them is left. */
export const hungCommands: Fault = {
  name: 'commands ignore SIGTERM, fork, leave their session and hold their output',
  rounds: null,
  usualMinutes: 5,
  isFast: false,
  load: 'idle',
  run: hang,
};

const TOP = 'base:\n  "*": [common]\n  web: [web, hung]\n';
/** Each sleeps for a number of seconds that is told from all other sleeps. */
const COMMANDS = {
  'ignores SIGTERM': "trap '' TERM HUP INT; while true; do sleep 4711; done",
  'forks a child that ignores SIGTERM': "(trap '' TERM; sleep 4711; sleep 4711) & wait",
  'leaves its session and holds the output': 'setsid --fork sleep 4711; sleep 4711',
  'reads what nobody says': 'cat /dev/tty0 - 2>/dev/null; sleep 4711',
  'stops itself': 'kill -STOP $$; sleep 4711',
} as const;
const TIMEOUT_SECONDS = 3;
/** The time that a command has, what it is given to end by itself, and what the machine needs. */
const LONGEST_MS = 60_000;

async function hang({ site, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  await conductor.write(`${TREE}/states/top.yaml`, TOP);
  for (const [name, command] of Object.entries(COMMANDS)) {
    log(name);
    const state = { name: command, timeout: TIMEOUT_SECONDS, always: true };
    const after = '/root/after:\n  file.managed: {contents: "after"}\n';
    await publish(site, 'states/hung.yaml', `hung:\n  cmd.run: ${JSON.stringify(state)}\n${after}`);
    await sh(appserver, 'rm -f /root/after');
    const begun = Date.now();
    const { exitCode, outcomes } = await apply(site, 'appserver');
    const took = Date.now() - begun;
    const said = outcomes.find(({ id }) => id === 'hung')?.error?.message ?? '';
    const left = await sh(appserver, 'pgrep -af "[s]leep 4711" || true');
    const losses = [
      ...(exitCode === 2 ? [] : [`the run exits with ${exitCode}`]),
      ...(said.includes('it ran longer than') ? [] : [`it says "${said}"`]),
      ...(took < LONGEST_MS ? [] : [`it took ${took} ms`]),
      ...(left === '' ? [] : [`these are left: ${left}`]),
      ...((await sh(appserver, 'cat /root/after')) === 'after' ? [] : ['what follows is not done']),
    ];
    lost.push(...losses.map((loss) => `${name}: ${loss}`));
  }
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}
