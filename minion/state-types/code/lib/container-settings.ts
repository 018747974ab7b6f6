import { z } from 'zod';
import type { Change } from '../../../../shared/change.ts';
import type { HostView } from '../../../host/host.ts';
import { said } from '../../lib/said.ts';
import type { RunningArgs } from '../docker-container-schema.ts';
import { imageId, inspectOne, plainId } from './containers.ts';
import type { Engine } from './containers.ts';

/** How a container is; of what is not asked for there may be nothing. */
export type Container = {
  running: boolean;
  image: string;
  command: readonly string[];
  entrypoint: string;
  environment: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  port_bindings: readonly string[];
  binds: readonly string[];
  network_mode: string;
  restart_policy: string;
  user: string;
  working_dir: string;
  hostname: string;
  memory: number;
  privileged: boolean;
  read_only: boolean;
  cap_add: readonly string[];
  cap_drop: readonly string[];
};

const texts = z.array(z.string()).nullish();
const binding = z.object({ HostIp: z.string().default(''), HostPort: z.string().default('') });
const mount = z.object({
  Type: z.string(),
  Name: z.string().default(''),
  Source: z.string().default(''),
  Destination: z.string(),
  RW: z.boolean(),
});

/** The part of what docker and podman tell alike. */
const inspected = z.object({
  Image: z.string(),
  State: z.object({ Running: z.boolean() }),
  Mounts: z.array(mount).nullish(),
  Config: z.object({
    Cmd: texts,
    Entrypoint: z.union([z.string(), z.array(z.string())]).nullish(),
    Env: texts,
    Labels: z.record(z.string(), z.string()).nullish(),
    User: z.string().default(''),
    WorkingDir: z.string().default(''),
    Hostname: z.string().default(''),
  }),
  HostConfig: z.object({
    PortBindings: z.record(z.string(), z.array(binding).nullish()).nullish(),
    NetworkMode: z.string().default(''),
    RestartPolicy: z.object({
      Name: z.string().default(''),
      MaximumRetryCount: z.int().default(0),
    }),
    Memory: z.number().default(0),
    Privileged: z.boolean().default(false),
    ReadonlyRootfs: z.boolean().default(false),
    CapAdd: texts,
    CapDrop: texts,
  }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});
type Inspected = z.infer<typeof inspected>;

/** How a container is, in the words in which it is declared; `null` if there is none. */
export async function readContainer(
  engine: Engine,
  args: RunningArgs,
  host: HostView,
): Promise<Container | null> {
  const { name, image } = args;
  const found = await inspectOne(engine, { kind: 'container', name }, inspected, host);
  if (found === null) return null;
  const isOfImage = plainId(found.Image) === (await imageId(engine, image, host));
  const { Config: config, HostConfig: set } = found;
  return {
    running: found.State.Running,
    image: isOfImage ? image : `sha256:${plainId(found.Image)}`,
    command: config.Cmd ?? [],
    entrypoint: [config.Entrypoint ?? ''].flat().join(' '),
    environment: among(environmentOf(found), args.environment),
    labels: among(config.Labels ?? {}, args.labels),
    port_bindings: portsOf(found),
    binds: bindsOf(found),
    network_mode: networkOf(found, args),
    restart_policy: restartOf(found),
    user: config.User,
    working_dir: config.WorkingDir,
    hostname: config.Hostname,
    memory: set.Memory,
    privileged: set.Privileged,
    read_only: set.ReadonlyRootfs,
    cap_add: heldOf(args.cap_add, set.CapAdd),
    cap_drop: heldOf(args.cap_drop, set.CapDrop),
  };
}

/** How it should be. */
export function wantedContainer(args: RunningArgs): Partial<Container> {
  const { name: _name, engine: _engine, shutdown_timeout: _timeout, start, ...asked } = args;
  return { ...said(asked), ...(start ? { running: true } : {}) };
}

/** Whether all that is left to do is to start it. */
export function isOnlyStopped(change: Change<Container>): boolean {
  return change.action === 'update' && Object.keys(change.to).every((name) => name === 'running');
}

/** An image and its engine bring variables and labels of their own along. */
function among(
  has: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(asked).flatMap((name) => {
      const value = has[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function environmentOf({ Config: { Env: lines } }: Inspected): Readonly<Record<string, string>> {
  const entries = (lines ?? []).map((line) => {
    const end = line.indexOf('=');
    return [line.slice(0, end), line.slice(end + 1)] as const;
  });
  return Object.fromEntries(entries);
}

function portsOf({ HostConfig: { PortBindings: bindings } }: Inspected): string[] {
  const ports = Object.entries(bindings ?? {}).flatMap(([inside, places]) =>
    (places ?? []).map(({ HostIp: ip, HostPort: outside }) => {
      const address = ip === '' || ip === '0.0.0.0' ? '' : `${ip}:`;
      return `${address}${outside}:${inside}`;
    }),
  );
  return ports.toSorted();
}

/** Volumes without a name are the image's own. */
function bindsOf({ Mounts: mounts }: Inspected): string[] {
  const found = (mounts ?? []).flatMap((one) => {
    const source = one.Type === 'volume' ? one.Name : one.Source;
    const isOurs =
      one.Type === 'bind' || (one.Type === 'volume' && !/^[0-9a-f]{64}$/u.test(source));
    return isOurs ? [`${source}:${one.Destination}:${one.RW ? 'rw' : 'ro'}`] : [];
  });
  return found.toSorted();
}

/** Podman calls every network of its own a bridge. */
function networkOf(
  { HostConfig: { NetworkMode: mode }, NetworkSettings: settings }: Inspected,
  { network_mode: asked }: RunningArgs,
): string {
  if (asked !== undefined && Object.keys(settings?.Networks ?? {}).includes(asked)) return asked;
  return mode === 'default' ? 'bridge' : mode;
}

function restartOf({ HostConfig: { RestartPolicy: policy } }: Inspected): string {
  const name = policy.Name === '' ? 'no' : policy.Name;
  const often = policy.MaximumRetryCount;
  return name === 'on-failure' && often > 0 ? `${name}:${often}` : name;
}

/** Those of the capabilities asked for; who is not root in it loses others by itself. */
function heldOf(
  asked: readonly string[] | undefined,
  names: readonly string[] | null | undefined,
): string[] {
  const held = (names ?? []).map((name) => name.replace(/^CAP_/u, ''));
  return held.filter((name) => asked?.includes(name)).toSorted();
}
