import type { Host } from '../test/hosts/host.ts';
import { drifts } from './drift.ts';
import type { Drift } from './drift.ts';
import { addFirst, addSecond, fetchPage } from './eknights.ts';
import type { Site } from './hosts.ts';
import { apply, dryRun } from './jobs.ts';
import type { ShownOutcome } from './jobs.ts';
import type { Narrator } from './narrate.ts';
import type { Results } from './verdict.ts';

export interface TourOptions {
  readonly usesPyPI: boolean;
}

/** From two bare minions to two eKnights and eight repairs. */
export async function tour(
  site: Site,
  narrator: Narrator,
  { usesPyPI }: TourOptions,
): Promise<Results> {
  const { conductor, appserver } = site;
  narrator.phase('conductor', 'the Conductor machine manages itself');
  await apply(conductor, 'conductor', narrator);

  narrator.phase('first', 'a first eKnight');
  await addFirst(site, narrator);
  const first = await apply(conductor, 'appserver', narrator);
  let eknights = await answering(appserver, 'hello.demo', narrator);

  narrator.phase('second', 'applied again: nothing to do');
  const second = await apply(conductor, 'appserver', narrator);
  const calm = await dryRun(conductor, 'appserver', narrator);
  narrator.say(`the dry run would change ${calm.length} states`);

  const stop = usesPyPI
    ? ([
        '/srv/environments/circus/bin/circusctl',
        '--endpoint',
        'ipc:///run/circus/endpoint',
        'stop',
        'hello',
        '--waiting',
      ] as const)
    : (['supervisorctl', 'stop', 'hello:*'] as const);
  const repairs = await repairDrift(site, narrator, drifts(stop));

  narrator.phase('another', 'a second eKnight, by one pillar file');
  await addSecond(site, narrator);
  await apply(conductor, 'appserver', narrator);
  eknights =
    (await answering(appserver, 'hello.demo', narrator)) +
    (await answering(appserver, 'greetings.demo', narrator));

  return {
    first,
    second,
    foreseenWhenConverged: calm.length,
    ...repairs,
    eknights,
    python: usesPyPI ? 'pypi' : 'debian',
  };
}

async function answering(appserver: Host, domain: string, narrator: Narrator): Promise<number> {
  const page = await fetchPage(appserver, domain);
  const said =
    page === null ? 'does not answer as it should' : (/<p>(.*?)<\/p>/.exec(page)?.[1] ?? 'answers');
  narrator.say(`http://${domain}/ (${appserver.address}): ${said}`);
  return page === null ? 0 : 1;
}

async function repairDrift(
  { conductor, appserver }: Site,
  narrator: Narrator,
  all: readonly Drift[],
) {
  narrator.phase('drift', `${all.length} things are broken by hand`);
  for (const { words, breakIt } of all) {
    narrator.say(`- ${words}`);
    for (const argv of breakIt) await appserver.exec(argv, { cwd: '/' });
  }
  const broken = await countWhole(appserver, all, { expected: false });
  const foreseen = await dryRun(conductor, 'appserver', narrator);
  for (const { type, id, status, because } of foreseen) {
    narrator.say(`  ${status}: ${type} ${id}${because === undefined ? '' : ` (${because})`}`);
  }
  narrator.phase('repair', 'the daily refresh comes, a little early');
  const refresh = ['minion', 'agent', '--refresh-now'] as const;
  const { stdout } = await narrator.show(appserver, refresh, { timeoutMs: 600_000 });
  const whole = await countWhole(appserver, all, { expected: true });
  narrator.say(`${whole} of ${all.length} are whole again`);
  return {
    driftsMade: broken,
    driftsRepaired: whole,
    unforeseen: changedStates(stdout).filter((state) => !isAmong(foreseen, state)),
  };
}

/** `user.present  hello account (hello)` of every state that a run says it changed. */
function changedStates(output: string): string[] {
  return [...output.matchAll(/^\* (\S+ {2}.+?) {2}changed\b/gmu)].map(([, state = '']) => state);
}

function isAmong(outcomes: readonly ShownOutcome[], state: string): boolean {
  return outcomes.some(({ type, id }) => `${state} (`.startsWith(`${type}  ${id} (`));
}

async function countWhole(
  host: Host,
  all: readonly Drift[],
  { expected }: { expected: boolean },
): Promise<number> {
  let count = 0;
  for (const { isWhole } of all) if ((await isWhole(host)) === expected) count += 1;
  return count;
}
