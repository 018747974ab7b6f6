import { sh, until } from '../e2e/installed-hosts.ts';
import { ensurePackage } from '../e2e/package.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { converges, disturbInTheMiddle } from './gated-run.ts';
import { makePackage, putPackage } from './made-package.ts';

/** Package managers and database servers that are busy, killed or stopped where they stand, in the middle of a run. */
export const busySoftware: Fault = {
  name: 'dpkg killed in a postinst, PostgreSQL and MariaDB killed and stalled',
  rounds: null,
  usualMinutes: 4,
  isFast: false,
  run: disturbSoftware,
};

const TREE = '/root/software';
const APPLY = ['minion', 'apply', '--tree', TREE] as const;

async function disturbSoftware({ site: { fleet }, log }: FaultSetting): Promise<string[]> {
  const host = await fleet.boot({ name: 'software', image: 'full' });
  await host.copyIn(await ensurePackage(), '/root/conductor.deb');
  await sh(host, 'dpkg --install /root/conductor.deb >/dev/null');
  await host.write(`${TREE}/states/top.yaml`, 'base:\n  "*": [one]\n');
  const parts = {
    'dpkg is killed in a postinst': killedInPostinst,
    'PostgreSQL is killed': async (on: Host) => disturbServer(on, POSTGRESQL, 'KILL'),
    'PostgreSQL is stalled': async (on: Host) => disturbServer(on, POSTGRESQL, 'STOP'),
    'MariaDB is killed': async (on: Host) => disturbServer(on, MARIADB, 'KILL'),
    'MariaDB is stalled': async (on: Host) => disturbServer(on, MARIADB, 'STOP'),
  };
  const lost: string[] = [];
  for (const [name, part] of Object.entries(parts)) {
    log(name);
    lost.push(...(await part(host)).map((loss) => `${name}: ${loss}`));
  }
  return lost;
}

async function killedInPostinst(host: Host): Promise<string[]> {
  await makePackage(host, 'slow', 'test -e /root/begun || { touch /root/begun; sleep 600; }');
  await putPackage(host, { tree: TREE, name: 'slow', timeout: 60 });
  await sh(host, `systemd-run --quiet --collect --unit=run ${APPLY.join(' ')}`);
  await until('the postinst to begin', 60, async () =>
    (await sh(host, 'ls /root')).includes('begun'),
  );
  await sh(
    host,
    'systemctl kill --signal=KILL run; pkill -9 -f "[s]low.postinst" || true; pkill -9 dpkg || true',
  );
  const before = await sh(host, 'dpkg --audit');
  const lost = before === '' ? ['dpkg was not interrupted'] : [];
  lost.push(...(await converges(host, TREE)));
  const after = await sh(host, 'dpkg --audit');
  return after === '' ? lost : [...lost, `dpkg says ${after}`];
}

interface Server {
  readonly unit: string;
  readonly started: string;
  /** One state, of which there are some before and some after the disturbance. */
  readonly state: (name: string) => string;
}

const POSTGRESQL: Server = {
  unit: 'postgresql@*',
  started: 'systemctl restart postgresql',
  state: (name) => `${name}:\n  postgres_user.present: {createdb: true, timeout: 40}\n`,
};
const MARIADB: Server = {
  unit: 'mariadb',
  started: 'systemctl restart mariadb',
  state: (name) => `${name}:\n  mysql_database.present: {timeout: 40}\n`,
};

/** In the middle of a run, at a gate that the tree has. */
async function disturbServer(
  host: Host,
  { unit, started, state }: Server,
  signal: 'KILL' | 'STOP',
): Promise<string[]> {
  const names = ['a', 'b', 'c', 'd'].map((letter) => `fault_${signal.toLowerCase()}_${letter}`);
  const [a = '', b = '', ...others] = names.map(state);
  await sh(host, started);
  const run = { tree: TREE, before: a + b, after: others.join('') };
  const said = await disturbInTheMiddle(host, run, async () =>
    sh(host, `systemctl kill --signal=${signal} '${unit}'`),
  );
  await sh(host, signal === 'STOP' ? `systemctl kill --signal=CONT '${unit}'` : started);
  const lost = /\d+ states: /u.test(said) ? [] : [`it has not ended with a report: ${said}`];
  if (signal === 'STOP' && !/took longer than|timeout expired|does not answer/u.test(said))
    lost.push(`it does not say why: ${said}`);
  return [...lost, ...(await converges(host, TREE))];
}
