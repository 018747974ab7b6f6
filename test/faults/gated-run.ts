import { attempt, sh, until } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';

/** A local run that stops in its middle until it has been disturbed. */
export interface GatedRun {
  readonly tree: string;
  /** States, as they are written, before and behind the gate. */
  readonly before: string;
  readonly after: string;
}

const GATE = `gate:
  cmd.run:
    name: touch /run/at-gate; until test -e /run/gate; do sleep 0.2; done
    always: true
`;

/** What it printed, once it has ended. Its unit is `run` while it goes on. */
export async function disturbInTheMiddle(
  host: Host,
  { tree, before, after }: GatedRun,
  disturb: () => Promise<unknown>,
): Promise<string> {
  await host.write(`${tree}/states/top.yaml`, 'base:\n  "*": [one]\n');
  await host.write(`${tree}/states/one.yaml`, [before, GATE, after].join('\n'));
  await sh(
    host,
    `rm -f /run/gate /run/at-gate /root/run.out
     systemd-run --quiet --collect --unit=run -p StandardOutput=file:/root/run.out minion apply --tree ${tree}`,
  );
  await until('the run to come to its gate', 60, async () =>
    (await sh(host, 'ls /run')).includes('at-gate'),
  );
  await disturb();
  await sh(host, 'touch /run/gate');
  await until('the run to end', 240, async () => {
    const { stdout } = await attempt(host, ['systemctl', 'is-active', 'run']);
    return stdout.trim() !== 'active';
  });
  return sh(host, 'cat /root/run.out');
}

/** A run with nothing in its way brings everything about, and the one after it nothing but the gate: what is lacking. */
export async function converges(host: Host, tree: string): Promise<string[]> {
  await sh(host, 'touch /run/gate');
  const next = await attempt(host, ['minion', 'apply', '--tree', tree]);
  if (next.exitCode !== 0) return [`the next run exits with ${next.exitCode}: ${next.output}`];
  const { exitCode, output } = await attempt(host, [
    'minion',
    'apply',
    '--tree',
    tree,
    '--dry-run',
  ]);
  const left = output.split('\n').filter((line) => /^[~?!] /u.test(line) && !line.includes('gate'));
  return exitCode === 0 && left.length === 0
    ? []
    : [`a run after it would change something (${exitCode}): ${output.slice(0, 500)}`];
}
