import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, sh, until } from '../e2e/installed-hosts.ts';
import { ensurePackage } from '../e2e/package.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { converges } from './gated-run.ts';
import { makePackage, putPackage } from './made-package.ts';

/** Somebody else holds the lock of apt: for a moment, which is waited for, and for longer than a run can wait. */
export const lockedApt: Fault = {
  name: 'apt is locked for 20 s, and for 20 minutes',
  rounds: null,
  usualMinutes: 22,
  isFast: false,
  load: 'idle',
  run: lockApt,
};

const TREE = '/root/locked';
const APPLY = ['minion', 'apply', '--tree', TREE] as const;
const SHORT_SECONDS = 20;
const LONG_MINUTES = 20;
/** The time that a state has whose tree says so, and the longest that one waits which has more. */
const STATE_SECONDS = 60;
const PATIENCE_SECONDS = 600;
const HELD = /lock-frontend\. It is held by process (\d+) \(python3\)/u;

async function lockApt({ site: { fleet }, minutes, log }: FaultSetting): Promise<string[]> {
  const host = await fleet.boot({ name: 'locked', image: 'full' });
  await host.copyIn(await ensurePackage(), '/root/conductor.deb');
  await sh(host, 'dpkg --install /root/conductor.deb >/dev/null');
  await host.write(`${TREE}/states/top.yaml`, 'base:\n  "*": [one]\n');
  const seconds = 60 * Math.min(LONG_MINUTES, minutes);
  return [
    ...(await lockedForShort(host)).map((loss) => `locked for ${SHORT_SECONDS} s: ${loss}`),
    ...(await lockedForLong(host, seconds, log)).map((loss) => `locked for ${seconds} s: ${loss}`),
  ];
}

/** Holds the lock that apt and dpkg take; the process that does, and when it lets go. */
async function holdLock(host: Host, seconds: number): Promise<{ pid: string; until: number }> {
  const program = `import fcntl, os, time
f = open('/var/lib/dpkg/lock-frontend', 'w')
fcntl.lockf(f, fcntl.LOCK_EX)
open('/run/locked', 'w').write(str(os.getpid()))
time.sleep(${seconds})
`;
  await host.write('/root/hold.py', program);
  await sh(
    host,
    'rm -f /run/locked; systemd-run --quiet --collect --unit=holder python3 /root/hold.py',
  );
  const holder = async (): Promise<string> => sh(host, 'cat /run/locked 2>/dev/null || true');
  await until('the lock to be held', 20, async () => (await holder()) !== '');
  return { pid: await holder(), until: Date.now() + seconds * 1000 };
}

/** The run goes on for as long as the lock is held, and whoever looks sees which run that is. */
async function lockedForShort(host: Host): Promise<string[]> {
  await makeState(host, 'short');
  await holdLock(host, SHORT_SECONDS);
  await sh(host, `systemd-run --quiet --unit=run -p RemainAfterExit=yes ${APPLY.join(' ')}`);
  await sleep((SHORT_SECONDS / 2) * 1000);
  const seen = (await attempt(host, ['minion', 'status'])).output;
  const isHeld = (await attempt(host, ['systemctl', 'is-active', 'holder'])).exitCode === 0;
  const lost = isHeld && /run: .*local/u.test(seen) ? [] : [`meanwhile it is not seen: ${seen}`];
  await until('the run to end', 120, async () => (await property(host, 'SubState')) === 'exited');
  if ((await property(host, 'ExecMainStatus')) !== '0') lost.push('the run has failed');
  if (!(await isInstalled(host, 'short'))) lost.push('the package is not installed');
  await sh(host, 'systemctl stop run');
  return [...lost, ...(await converges(host, TREE))];
}

async function property(host: Host, name: string): Promise<string> {
  return sh(host, `systemctl show -P ${name} run`);
}

/** Runs that have no time left while it is locked; the next one waits for the end of that, and converges. */
async function lockedForLong(
  host: Host,
  seconds: number,
  log: FaultSetting['log'],
): Promise<string[]> {
  const lock = await holdLock(host, seconds);
  const lost: string[] = [];
  for (const timeout of [STATE_SECONDS, null]) {
    const needs = timeout ?? PATIENCE_SECONDS + 30;
    if (lock.until - Date.now() < needs * 1000) continue;
    log(`a state that has ${timeout ?? 'no end of'} seconds`);
    await makeState(host, 'long', timeout);
    lost.push(...(await waitInVain(host, lock.pid)));
  }
  log(`the lock is held for another ${Math.round((lock.until - Date.now()) / 1000)} s`);
  await sleep(Math.max(0, lock.until - Date.now() - (PATIENCE_SECONDS - 60) * 1000));
  await makeState(host, 'long');
  const last = await applyPatiently(host);
  if (last.exitCode !== 0) lost.push(`the last run exits with ${last.exitCode}: ${last.output}`);
  lost.push(...(await converges(host, TREE)));
  return (await isInstalled(host, 'long')) ? lost : [...lost, 'the package is not installed'];
}

/** It says who holds the lock, and has done nothing. */
async function waitInVain(host: Host, holder: string): Promise<string[]> {
  const { exitCode, output } = await applyPatiently(host);
  const half = await sh(host, 'dpkg --audit');
  return [
    ...(exitCode === 2 ? [] : [`a run exits with ${exitCode}: ${output}`]),
    ...(HELD.exec(output)?.[1] === holder ? [] : [`it does not say who has it: ${output}`]),
    ...((await isInstalled(host, 'long')) ? ['the package is installed all the same'] : []),
    ...(half === '' ? [] : [`something is half done: ${half}`]),
  ];
}

async function applyPatiently(host: Host) {
  return attempt(host, APPLY, { timeoutMs: (PATIENCE_SECONDS + 120) * 1000 });
}

async function isInstalled(host: Host, name: string): Promise<boolean> {
  const { stdout } = await attempt(host, ['dpkg-query', '--show', '-f=${db:Status-Abbrev}', name]);
  return stdout.startsWith('ii');
}

async function makeState(host: Host, name: string, timeout: number | null = null): Promise<void> {
  await makePackage(host, name, 'true');
  await putPackage(host, { tree: TREE, name, timeout });
}
