import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { lastWords } from '../lib/ask.ts';
import { runningSchema } from './docker-container-schema.ts';
import type { RunningArgs } from './docker-container-schema.ts';
import { containerName, engineField, engineOf, isRunning } from './lib/containers.ts';
import type { Engine } from './lib/containers.ts';
import { isUnproved, orPutBack, replace } from './lib/container-replace.ts';
import { isOnlyStopped, readContainer, wantedContainer } from './lib/container-settings.ts';
import type { Container } from './lib/container-settings.ts';

/** So long it must run to count as started. */
const SETTLE_MS = 700;

export const dockerContainerRunning = defineState<RunningArgs, Container>({
  name: 'docker_container.running',
  schema: runningSchema,
  reach: 'programs',
  example: `solr:
  docker_container.running:
    image: docker.io/library/solr:8.11
    port_bindings: 127.0.0.1:8983:8983
    binds: solr-data:/var/solr
    restart_policy: unless-stopped
    memory: 1g
`,
  provides: ({ name }) => [`container:${name}`],
  needs: ({ image, binds = [] }) => [
    `image:${image}`,
    ...binds.flatMap((bind) => (bind.startsWith('/') ? [`path:${bind.split(':')[0]}`] : [])),
  ],
  read,
  want: wantedContainer,
  refuses,
  apply: run,
  answers: () => true,
  async react(args, host) {
    const engine = await engineOf(args.engine, host);
    await host.run([engine, 'restart', `--time=${args.shutdown_timeout}`, '--', args.name]);
    await settle(engine, args.name, host);
    return `restarted the container ${args.name}`;
  },
});

/** A run that has died may have left the old one waiting: that the new one runs is then still to be proved. */
async function read(args: RunningArgs, host: HostView): Promise<Container | null> {
  const found = await readContainer(await engineOf(args.engine, host), args, host);
  if (found === null || !args.start || !(await isUnproved(args.name, host))) return found;
  return { ...found, running: false };
}

/** Docker makes what is to be bound into a container and is not there; podman does not. */
async function refuses(
  change: Change<Container>,
  { name, binds = [], engine }: RunningArgs,
  host: HostView,
): Promise<void> {
  if (isOnlyStopped(change) || (await engineOf(engine, host)) === 'docker') return;
  for (const [path = ''] of binds.map((bind) => bind.split(':'))) {
    if (!path.startsWith('/') || (await host.status(path)) !== null) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot bind "${path}" into the container "${name}": there is no such path`,
      { lacks: [`path:${path}`] },
    );
  }
}

async function run(change: Change<Container>, args: RunningArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { name } = args;
  const engine = await engineOf(args.engine, host);
  const wasCutShort = await isUnproved(name, host);
  if (!isOnlyStopped(change)) await replace(engine, args, host);
  if (!args.start && change.action === 'update') return;
  const ran = change.action === 'update' && change.from.running;
  const prove = () =>
    orPutBack(engine, name, host, { ran, start: () => begin(engine, name, host) });
  try {
    await prove();
  } catch (error) {
    // What an engine was killed in starting may not be startable any more: it is made anew, once.
    if (!wasCutShort && !isHalfStarted(error)) throw error;
    await replace(engine, args, host);
    await prove();
  }
}

function isHalfStarted(error: unknown): boolean {
  return error instanceof Error && /container `?\w+`? already exists/u.test(error.message);
}

async function begin(engine: Engine, name: string, host: Host): Promise<void> {
  await host.run([engine, 'start', '--', name]);
  await settle(engine, name, host);
}

/** Not called success when what runs in it ends right after the start. */
async function settle(engine: Engine, name: string, host: Host): Promise<void> {
  await host.sleep(SETTLE_MS);
  if ((await isRunning(engine, name, host)) === true) return;
  const output = await host.query([engine, 'logs', '--tail=20', '--', name]);
  const words = lastWords(output, 3);
  throw new ConductorError(
    'CHECK_FAILED',
    `Cannot start the container "${name}": it ended right after the start${words === '' ? '' : `: ${words}`}`,
  );
}

const timeout = z
  .int()
  .nonnegative()
  .default(10)
  .describe('Seconds to end in, before it is killed');

const stoppedSchema = z
  .strictObject({
    name: containerName.describe('Name of the container'),
    shutdown_timeout: timeout,
    error_on_absent: z
      .boolean()
      .default(true)
      .describe('Whether it is a failure if there is no such container'),
    engine: engineField,
  })
  .describe('A container does not run. It stays as it is otherwise, and can be started again.');
type StoppedArgs = z.infer<typeof stoppedSchema>;
type Standing = { running: boolean };

export const dockerContainerStopped = defineState<StoppedArgs, Standing>({
  name: 'docker_container.stopped',
  schema: stoppedSchema,
  example: `solr:
  docker_container.stopped:
    shutdown_timeout: 60
`,
  needs: ({ name }) => [`container:${name}`],
  async read(args, host) {
    const running = await isRunning(await engineOf(args.engine, host), args.name, host);
    if (running !== null) return { running };
    if (!args.error_on_absent) return { running: false };
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot stop the container "${args.name}": there is none (error_on_absent: false allows that)`,
      { lacks: [`container:${args.name}`] },
    );
  },
  want: () => ({ running: false }),
  async apply(_change, args, host) {
    const engine = await engineOf(args.engine, host);
    await host.run([engine, 'stop', `--time=${args.shutdown_timeout}`, '--', args.name]);
  },
});

const absentSchema = z
  .strictObject({
    name: containerName.describe('Name of the container'),
    force: z.boolean().default(false).describe('Whether one that runs is stopped and goes as well'),
    shutdown_timeout: timeout,
    engine: engineField,
  })
  .describe(
    'There is no container of this name. Its named volumes and what is bound into it stay.',
  );
type AbsentArgs = z.infer<typeof absentSchema>;

export const dockerContainerAbsent = defineState<AbsentArgs, Standing>({
  name: 'docker_container.absent',
  schema: absentSchema,
  example: `old-solr:
  docker_container.absent:
    force: true
`,
  async read(args, host) {
    const running = await isRunning(await engineOf(args.engine, host), args.name, host);
    return running === null ? null : { running };
  },
  want: () => null,
  async refuses(change, { name, force }) {
    if (change.action !== 'remove' || !change.from.running || force) return;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot remove the container "${name}": it runs (force: true stops it first)`,
      { lacks: [] },
    );
  },
  async apply(change, args, host) {
    const engine = await engineOf(args.engine, host);
    if (change.action === 'remove' && change.from.running)
      await host.run([engine, 'stop', `--time=${args.shutdown_timeout}`, '--', args.name]);
    await host.run([engine, 'rm', '--', args.name]);
  },
});
