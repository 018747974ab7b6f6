import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';

/** How long an image may take to come over. */
export const PULL_TIMEOUT_MS = 1_800_000;

export const engineField = z
  .enum(['docker', 'podman'])
  .exactOptional()
  .describe('The program to use; docker, or podman where there is no docker, if absent');

export const containerName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/u, {
  error: 'expected the name of a container',
});

export const imageName = z.string().regex(/^[a-z0-9][\w./:@-]*$/iu, {
  error: 'expected the name of an image, such as docker.io/library/nginx:1.27',
});

export type Engine = 'docker' | 'podman';

/** The program that is asked for, or the one that is there. Throws STATE_REFUSED if there is none. */
export async function engineOf(given: Engine | undefined, host: HostView): Promise<Engine> {
  if (given !== undefined) return given;
  return host.shared('container engine', async () => {
    for (const engine of ['docker', 'podman'] as const) {
      if ((await host.query([engine, '--version'])).exitCode === 0) return engine;
    }
    throw new ConductorError(
      'STATE_REFUSED',
      'Cannot look for containers: there is neither docker nor podman on this host',
      { lacks: ['package:docker.io', 'package:docker-ce', 'package:podman'] },
    );
  });
}

/** Podman makes a file for a moment while it looks: not on the disk. */
export const IN_MEMORY = { env: { TMPDIR: '/run' } } as const;

const NOT_THERE = /no such (?:container|image|object)|image not known|does not exist/iu;
const CUT_OFF = /container not known/iu;

/** There is none of that name. */
const ABSENT = Symbol('absent');
/** A container whose removal was cut off: it holds its name, and nothing can be told of it. */
const REMAINS = Symbol('remains');

interface Sought {
  readonly kind: 'container' | 'image';
  readonly name: string;
}

async function look(
  engine: Engine,
  { kind, name }: Sought,
  host: HostView,
): Promise<typeof ABSENT | typeof REMAINS | { readonly found: unknown }> {
  const argv: Argv = [engine, kind, 'inspect', '--', name];
  const output = await host.query(argv, IN_MEMORY);
  if (output.exitCode === 0)
    return { found: z.tuple([z.unknown()]).parse(JSON.parse(output.stdout))[0] };
  if (NOT_THERE.test(output.stderr)) return ABSENT;
  if (kind === 'container' && CUT_OFF.test(output.stderr)) return REMAINS;
  throw failed(`look at the ${kind} "${name}"`, argv, output);
}

/** What the engine tells of a container or image; `null` if there is none of that name, or only its remains. */
export async function inspectOne<T>(
  engine: Engine,
  sought: Sought,
  schema: z.ZodType<T>,
  host: HostView,
): Promise<T | null> {
  const seen = await look(engine, sought, host);
  return typeof seen === 'symbol' ? null : schema.parse(seen.found);
}

/** Whether there is a container of that name, or at least its remains. */
export async function isThere(engine: Engine, name: string, host: HostView): Promise<boolean> {
  return (await look(engine, { kind: 'container', name }, host)) !== ABSENT;
}

const state = z.object({ State: z.object({ Running: z.boolean() }) });

/** Whether a container runs, which remains do not; `null` if there is none. */
export async function isRunning(
  engine: Engine,
  name: string,
  host: HostView,
): Promise<boolean | null> {
  const seen = await look(engine, { kind: 'container', name }, host);
  if (seen === ABSENT) return null;
  return seen === REMAINS ? false : state.parse(seen.found).State.Running;
}

/** Whether all that there is of a container is remains. */
export async function isRemains(engine: Engine, name: string, host: HostView): Promise<boolean> {
  return (await look(engine, { kind: 'container', name }, host)) === REMAINS;
}

const image = z.object({ Id: z.string() });

/** The id of an image, without the name of its algorithm; `null` if it is not on this host. */
export async function imageId(
  engine: Engine,
  name: string,
  host: HostView,
): Promise<string | null> {
  const found = await inspectOne(engine, { kind: 'image', name }, image, host);
  return found === null ? null : plainId(found.Id);
}

export function plainId(id: string): string {
  return id.replace(/^sha256:/u, '');
}

/** Brings an image over if it is not there. */
export async function pull(engine: Engine, name: string, host: Host): Promise<void> {
  await host.run([engine, 'pull', '--quiet', '--', name], { timeoutMs: PULL_TIMEOUT_MS });
}
