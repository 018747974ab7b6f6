import { ConductorError } from '../../../../shared/errors.ts';
import type { Host } from '../../../host/host.ts';
import type { RunningArgs } from '../docker-container-schema.ts';
import { createContainer } from './container-create.ts';
import { imageId, isRemains, isThere, pull } from './containers.ts';
import type { Engine } from './containers.ts';

const MOST_RENAMES = 8;
const RENAME_MS = 700;

/** Under this name the container that is to be replaced waits until its successor has proved itself. */
const formerOf = (name: string): string => `${name}.conductor-old`;

/** The new one is made, whole, before the old one goes: what cannot be made harms nobody. */
export async function replace(engine: Engine, args: RunningArgs, host: Host): Promise<void> {
  const { name, image, start, shutdown_timeout: seconds } = args;
  const next = `${name}.conductor-new`;
  if ((await imageId(engine, image, host)) === null) await pull(engine, image, host);
  await removeIfThere(engine, next, host);
  await createAnew(engine, next, args, host);
  if (await isRemains(engine, name, host)) await host.run([engine, 'rm', '--force', '--', name]);
  if (await isThere(engine, name, host)) {
    await host.run([engine, 'stop', `--time=${seconds}`, '--', name]);
    await removeIfThere(engine, formerOf(name), host);
    if (start) {
      await host.remember(markOf(name), UNPROVED);
      await rename(engine, name, formerOf(name), host);
    } else await host.run([engine, 'rm', '--force', '--', name]);
  }
  await rename(engine, next, name, host);
}

/** An engine that was killed while it made a container knows of none, but holds its name: that is removed first. */
async function createAnew(
  engine: Engine,
  name: string,
  args: RunningArgs,
  host: Host,
): Promise<void> {
  try {
    await createContainer(engine, name, args, host);
  } catch (error) {
    if (!(error instanceof Error) || !/already in use/u.test(error.message)) throw error;
    await host.run([engine, 'rm', '--force', '--', name]);
    await createContainer(engine, name, args, host);
  }
}

/** Starts the new one; if it does not run, the old one is put back, and started if it ran. */
export async function orPutBack(
  engine: Engine,
  name: string,
  host: Host,
  { start, ran }: { readonly start: () => Promise<void>; readonly ran: boolean },
): Promise<void> {
  const former = formerOf(name);
  try {
    await start();
  } catch (error) {
    if (!(error instanceof ConductorError) || !(await isThere(engine, former, host))) throw error;
    await host.run([engine, 'rm', '--force', '--', name]);
    await rename(engine, former, name, host);
    if (ran) await host.run([engine, 'start', '--', name]);
    await host.remember(markOf(name), PROVED);
    throw new ConductorError(error.code, `${error.message}; the old one is back`, error.details);
  }
  await removeIfThere(engine, former, host);
  if ((await host.recall(markOf(name))) === UNPROVED) await host.remember(markOf(name), PROVED);
}

const UNPROVED = 'unproved';
const PROVED = 'proved';

/** Whether a run has died before it knew that the new one runs, so that the old one still waits. */
export async function isUnproved(name: string, host: Pick<Host, 'recall'>): Promise<boolean> {
  return (await host.recall(markOf(name))) === UNPROVED;
}

function markOf(name: string): string {
  return `docker_container:${name}`;
}

async function removeIfThere(engine: Engine, name: string, host: Host): Promise<void> {
  if (await isThere(engine, name, host)) await host.run([engine, 'rm', '--force', '--', name]);
}

/** An engine that was killed while it removed a container holds its name for a while: it is removed to its end. */
async function rename(engine: Engine, from: string, to: string, host: Host): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      await host.run([engine, 'rename', '--', from, to]);
      return;
    } catch (error) {
      if (round === MOST_RENAMES) throw error;
    }
    await host.sleep(RENAME_MS);
    await host.query([engine, 'rm', '--force', '--', to]); // what it answers, the next attempt tells
  }
}
