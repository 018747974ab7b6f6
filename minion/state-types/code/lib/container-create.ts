import { randomUUID } from 'node:crypto';
import type { Host } from '../../../host/host.ts';
import type { RunningArgs } from '../docker-container-schema.ts';
import { PULL_TIMEOUT_MS } from './containers.ts';
import type { Engine } from './containers.ts';

/** Makes a container without starting it. Variables reach the engine in a file that only root can read and that lives in memory. */
export async function createContainer(
  engine: Engine,
  name: string,
  args: RunningArgs,
  host: Host,
): Promise<void> {
  const { environment, image, command = [] } = args;
  const lines = Object.entries(environment ?? {}).map(([key, value]) => `${key}=${value}\n`);
  const path = `/run/conductor-container-${randomUUID()}.env`;
  const file = lines.length === 0 ? [] : [`--env-file=${path}`];
  const words = [`--name=${name}`, ...file, ...flagsOf(args), '--', image, ...command];
  try {
    if (lines.length > 0) await host.writeFile(path, lines.join(''), { mode: '0600' });
    await host.run([engine, 'create', ...words], { timeoutMs: PULL_TIMEOUT_MS });
  } finally {
    if (lines.length > 0) await host.remove(path);
  }
}

const FLAGS = [
  ['entrypoint', '--entrypoint'],
  ['network_mode', '--network'],
  ['restart_policy', '--restart'],
  ['user', '--user'],
  ['working_dir', '--workdir'],
  ['hostname', '--hostname'],
  ['memory', '--memory'],
  ['privileged', '--privileged'],
  ['read_only', '--read-only'],
] as const satisfies [keyof RunningArgs, string][];

function flagsOf(args: RunningArgs): string[] {
  const { port_bindings = [], binds = [], labels = {}, cap_add = [], cap_drop = [] } = args;
  const single = FLAGS.flatMap(([name, flag]) =>
    args[name] === undefined ? [] : [`${flag}=${args[name]}`],
  );
  return [
    ...single,
    ...port_bindings.map((port) => `--publish=${port}`),
    ...binds.map((bind) => `--volume=${bind}`),
    ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    ...cap_add.map((name) => `--cap-add=${name}`),
    ...cap_drop.map((name) => `--cap-drop=${name}`),
  ];
}
