import { z } from 'zod';
import { apply, beginApply, sh, targetOf, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import { allHaveEnded } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, comesTo, lackingOf, MINION_STATE, openGates, shutGate } from './gates.ts';

/** What a loss of power, or somebody's hand, can make of a file. `$f` is the file. */
const DAMAGES = {
  'cut off': 'truncate --size=$(($(stat -c %s "$f") / 2)) "$f"',
  empty: ': >"$f"',
  zeroed: 's=$(stat -c %s "$f"); head -c "$s" /dev/zero >"$f"',
  garbage: 's=$(stat -c %s "$f"); head -c "$((s + 1))" /dev/urandom >"$f"',
  "somebody else's": 'chown 65534 "$f"',
  'writable by all': 'chmod 666 "$f"',
  'a directory': 'rm "$f"; mkdir --parents "$f/inside"',
} as const;

type Damage = keyof typeof DAMAGES;

const KINDS: readonly [Damage, ...Damage[]] = [
  'cut off',
  'empty',
  'zeroed',
  'garbage',
  "somebody else's",
  'writable by all',
  'a directory',
];
/** Files of the minion that are put aside when they are damaged. */
const OWN = ['revision.sealed', 'registry.json', 'owed.json', 'schedule.json', 'master.json'];
const MASTER_STATE = '/var/lib/conductor/master';

export const minionDamage: Fault = {
  name: 'every file of the minion but its keys is damaged',
  rounds: KINDS.length,
  usualMinutes: 4,
  isFast: false,
  run: (setting) => inRounds(setting, damageMinion),
};

export const someMinionDamage: Fault = {
  ...minionDamage,
  name: 'every file of the minion but its keys is damaged, once',
  rounds: 1,
  usualMinutes: 1,
  isFast: true,
};

export const masterDamage: Fault = {
  name: "the master's blobs and lock are damaged",
  rounds: KINDS.length,
  usualMinutes: 1,
  isFast: false,
  run: (setting) => inRounds(setting, damageMaster),
};

type Round = (site: Site, kind: Damage, random: FaultSetting['random']) => Promise<string[]>;

/** All kinds in turn, from one that the seed chooses. */
async function inRounds({ site, rounds, random, log }: FaultSetting, one: Round) {
  const lost: string[] = [];
  const first = random.below(KINDS.length);
  for (let round = 0; round < rounds; round += 1) {
    const kind = KINDS[(first + round) % KINDS.length] ?? KINDS[0];
    log(`round ${round + 1}: ${kind}`);
    lost.push(...(await one(site, kind, random)).map((loss) => `${kind}: ${loss}`));
  }
  return lost;
}

async function damageMinion(site: Site, kind: Damage, random: FaultSetting['random']) {
  const { appserver } = site;
  const version = 1_000 + random.below(1_000_000);
  const job = await withReportInSpool(site, version);
  const stranger = '0198c2f1-0000-7000-8000-000000000001';
  const registry = '{"version":1,"values":{"port:somebody":"20007"}}';
  for (const name of ['registry.json', 'registry.json.copy'])
    await appserver.write(`${MINION_STATE}/${name}`, registry, 0o600);
  await appserver.write(
    `${MINION_STATE}/jobs/${stranger}.json`,
    '{"options": 1, "more": 2}',
    0o600,
  );
  const aside = [...OWN, `spool/${job}.json`, `jobs/${stranger}.json`];
  const alsoDamaged = [...(kind === 'a directory' ? ['agent.lock'] : []), 'blobs/*'];
  await damage(appserver, kind, [...aside, ...alsoDamaged]);
  await sh(appserver, 'systemctl reset-failed conductor-minion; systemctl start conductor-minion');
  await untilOnline(site, ['appserver'], 120);
  await until('all jobs to end', 120, () => allHaveEnded(site));
  const { state } = await targetOf(site, job);
  const lost = state === 'interrupted' ? [] : [`the job whose report was damaged is ${state}`];
  lost.push(...(await convergence(site, version)));
  lost.push(...(await untold(site, aside)));
  const kept = await sh(appserver, `cat ${MINION_STATE}/registry.json`);
  if (!kept.includes('20007')) lost.push('the registry has forgotten its ports');
  await sh(
    appserver,
    `rm --recursive --force ${MINION_STATE}/*.corrupt-* ${MINION_STATE}/*/*.corrupt-*`,
  );
  return lost;
}

/** A job whose run has ended while its agent was away: its report is in the spool, and the agent is stopped. */
async function withReportInSpool(site: Site, version: number): Promise<string> {
  const { appserver } = site;
  await askForVersion(site, version);
  await shutGate(appserver, 'last');
  const job = await beginApply(site, 'appserver');
  if (!(await comesTo(appserver, 'last', 60))) throw new Error('the run did not come to its gate');
  await sh(appserver, 'systemctl stop conductor-minion');
  await openGates(appserver);
  await until('the report', 60, async () =>
    (await sh(appserver, `ls ${MINION_STATE}/spool`)).includes(`${job}.json`),
  );
  return job;
}

/** Globs below the minion's state directory. */
async function damage(host: Host, kind: Damage, globs: readonly string[], below = MINION_STATE) {
  await sh(
    host,
    `cd ${below}; for f in ${globs.join(' ')}; do [ -f "$f" ] || continue; ${DAMAGES[kind]}; done`,
  );
}

/** What is lacking after the next run, and whether the one after it still changes something. */
async function convergence(site: Site, version: number): Promise<string[]> {
  const next = await apply(site, 'appserver');
  if (next.exitCode !== 0) {
    const said = JSON.stringify(next.targets[0]?.error ?? next.targets[0]?.state);
    return [`the next run exits with ${next.exitCode}: ${said}`];
  }
  const again = await apply(site, 'appserver');
  const changed = again.targets[0]?.report?.counts['changed'];
  const lacking = await lackingOf(site.appserver, version);
  return [
    ...(changed === 0 ? [] : [`the run after it changes ${changed}`]),
    ...(lacking === null ? [] : [lacking]),
  ];
}

const alarmsSchema = z.object({ alarms: z.array(z.object({ message: z.string() })) });

/** What was not put aside, or of which neither the log nor the master tells. */
async function untold({ conductor, appserver }: Site, aside: readonly string[]): Promise<string[]> {
  const there = await sh(appserver, `cd ${MINION_STATE}; ls -d *.corrupt-* */*.corrupt-*`);
  const { stdout } = await conductor.exec(['master', 'status', '--json']);
  const alarms = alarmsSchema.parse(JSON.parse(stdout)).alarms.map(({ message }) => message);
  const log = await sh(
    appserver,
    'journalctl --no-pager --output cat --unit conductor-minion | grep -a corrupt-',
  );
  return aside.flatMap((name) => {
    const isIn = (texts: readonly string[]) =>
      texts.some((text) => text.includes(`${name}.corrupt-`));
    return [
      ...(isIn(there.split('\n')) ? [] : [`${name} was not put aside`]),
      ...(isIn(alarms) ? [] : [`master status says nothing of ${name}`]),
      ...(isIn(log.split('\n')) ? [] : [`the log says nothing of ${name}`]),
    ];
  });
}

async function damageMaster(site: Site, kind: Damage, random: FaultSetting['random']) {
  const { conductor, appserver } = site;
  const version = 1_000 + random.below(1_000_000);
  await askForVersion(site, version);
  await sh(appserver, 'systemctl stop conductor-minion');
  await sh(conductor, 'systemctl stop conductor-master');
  await sh(conductor, `: >>${MASTER_STATE}/serve.pid`);
  const globs = ['blobs/*', 'serve.lock', 'serve.pid'];
  await damage(conductor, kind, globs, MASTER_STATE);
  if (kind === 'a directory') await sh(conductor, `chown --recursive conductor: ${MASTER_STATE}`);
  await sh(
    appserver,
    `rm --recursive --force ${MINION_STATE}/blobs/* ${MINION_STATE}/revision.sealed`,
  );
  await sh(conductor, 'systemctl reset-failed conductor-master; systemctl start conductor-master');
  await sh(appserver, 'systemctl start conductor-minion');
  await untilOnline(site, ['appserver', 'conductor'], 120);
  return convergence(site, version);
}
