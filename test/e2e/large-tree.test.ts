import test from 'ava';
import type { ExecutionContext } from 'ava';
import { compile } from '../../language/compile.ts';
import { compilePillar } from '../../language/pillar.ts';
import { readDirectory } from '../../language/source.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { reportSchema } from '../../protocol/report.ts';
import type { Host } from '../hosts/host.ts';
import { openFleet } from '../hosts/hosts.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';

/** A tree of three thousand states over all types: how long it takes to compile, and that its second run changes nothing. */

const onHost = await testOnHosts(test);

test('three thousand states over all types compile in less than a second of a processor', async (t) => {
  const tree = await readDirectory('test/e2e/large');
  const minion = { id: 'large', groups: [] };
  const unseal = (): never => t.fail();
  const { value: pillar } = compilePillar({ tree, minion, unseal });
  const facts = { os: 'Debian', hostname: 'large' };
  const world = { tree, minion, facts, pillar, states: stateTypes, params: {} };
  const seconds: number[] = [];
  const used = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const begun = process.cpuUsage();
    const catalog = compile({
      ...world,
      stateFiles: [],
      allocatePort: (name) => 20_000 + name.length,
    });
    const { user, system } = process.cpuUsage(begun);
    seconds.push((user + system) / 1e6);
    t.true(catalog.declarations.length >= 3000);
    for (const { type } of catalog.declarations) used.add(type);
  }
  t.log(`${seconds.map((count) => count.toFixed(2)).join(', ')} s`);
  t.true(Math.min(...seconds) < 1, seconds.join(', '));
  t.deepEqual(
    [...stateTypes.keys()].filter((type) => !used.has(type)),
    [],
  );
});

/** One run of the tree, as whoever has no master makes it. */
async function apply(t: ExecutionContext, host: Host) {
  const said: string[] = [];
  const argv = [
    '/root/node',
    '/root/dist/minion.js',
    'apply',
    '--id',
    'large',
    '--tree',
    '/root/large',
  ] as const;
  const places = ['--state-directory', '/root/state', '--json'];
  const { stdout } = await host.exec([...argv, ...places], {
    timeoutMs: 900_000,
    // A report of failures is one too; without any, what is wrong stands on the other stream.
    allowFailure: true,
    onOutput: (text) => said.push(text),
  });
  t.not(stdout, '', said.join(''));
  return reportSchema.parse(JSON.parse(stdout));
}

onHost('its second run on a host changes nothing', async (t) => {
  t.timeout(1_800_000);
  const fleet = await openFleet({ log: (line) => t.log(line) });
  try {
    const host = await fleet.boot({ name: 'large', image: 'full' });
    await host.copyIn(process.execPath, '/root/node');
    await host.copyIn('dist', '/root/dist');
    await host.copyIn('test/e2e/large', '/root/large');
    const first = await apply(t, host);
    const broken = first.outcomes.filter(({ status }) => status === 'failed');
    t.deepEqual(
      broken.map(({ id, error }) => [id, error?.message]),
      [],
    );
    t.true(first.counts.changed > 2000, JSON.stringify(first.counts));
    const second = await apply(t, host);
    const others = second.outcomes.filter(
      ({ status }) => !['unchanged', 'skipped'].includes(status),
    );
    t.deepEqual(
      others.map(({ id, status, change }) => [id, status, change]),
      [],
    );
    t.true(second.counts.unchanged > 2500, JSON.stringify(second.counts));
    t.log(`first ${durationOf(first)} s, second ${durationOf(second)} s`);
  } finally {
    await fleet.close();
  }
});

function durationOf({ startedAt, endedAt }: { startedAt: string; endedAt: string }): string {
  return ((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1);
}
