import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import {
  isEnabled,
  needStartable,
  needUnit,
  needsOfUnit,
  restartOrReload,
  setEnabled,
  unitSettled,
} from './lib/service.ts';
import { bringUp } from './lib/start-unit.ts';
import { readUnit, unitName } from './lib/units.ts';
import type { Unit } from './lib/units.ts';
import { deadSchema, modWatchSchema, runningSchema } from './service-schema.ts';
import type { DeadArgs, ModWatchArgs, RunningArgs } from './service-schema.ts';

/** How one unit is. */
export type Service = {
  running: boolean;
  enable: boolean;
  masked: boolean;
  masked_runtime: boolean;
};

const ACTIVE: readonly string[] = ['active', 'reloading'];
/** A unit that systemd starts over and over is not running, but it is not dead either. */
const DEAD: readonly string[] = ['inactive', 'failed'];

type Asked = { name: string; enable?: boolean };

async function readRunning(args: Asked, host: HostView): Promise<Service> {
  const unit = await readUnit(unitName(args.name), host);
  return { running: ACTIVE.includes(unit.activeState), ...(await settingsOf(unit, args, host)) };
}

async function readDead(args: Asked, host: HostView): Promise<Service> {
  const unit = await readUnit(unitName(args.name), host);
  return { running: !DEAD.includes(unit.activeState), ...(await settingsOf(unit, args, host)) };
}

async function settingsOf(
  unit: Unit,
  { enable = false }: Asked,
  host: HostView,
): Promise<Omit<Service, 'running'>> {
  return {
    enable: await isEnabled(unit, enable, host),
    masked: unit.unitFileState === 'masked',
    masked_runtime: unit.unitFileState === 'masked-runtime',
  };
}

async function applyRunning(change: Change<Service>, args: RunningArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const unit = unitName(args.name);
  const { running, enable, masked, masked_runtime: maskedRuntime } = change.to;
  if (masked === false) await host.run(['systemctl', 'unmask', '--', unit]);
  if (maskedRuntime === false) await host.run(['systemctl', 'unmask', '--runtime', '--', unit]);
  if (running === true) await bringUp(unit, 'start', args.init_delay, host);
  if (enable !== undefined) await setEnabled(unit, enable, host);
  host.changed('services');
}

async function applyDead(change: Change<Service>, args: DeadArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const unit = unitName(args.name);
  const { running, enable } = change.to;
  if (running === false) await stop(unit, host);
  if (enable !== undefined) await setEnabled(unit, enable, host);
}

async function stop(unit: string, host: Host): Promise<void> {
  await host.run(['systemctl', 'stop', '--', unit]);
  host.changed('services');
}

export const serviceRunning = defineState({
  name: 'service.running',
  schema: runningSchema,
  reach: 'programs',
  example: `nginx:
  service.running:
    enable: true
    reload: true
    watch: [{file: /etc/nginx/nginx.conf}]

/etc/nginx/nginx.conf:
  file.managed:
    mode: "0644"
`,
  provides: ({ name }: RunningArgs) => [`service:${name}`],
  settles: ({ name, ...args }: RunningArgs) => unitSettled(name, { ...args, running: true }),
  needs: needsOfUnit,
  read: readRunning,
  want(args: RunningArgs): Partial<Service> {
    const { enable, unmask, unmask_runtime: unmaskRuntime } = args;
    return {
      running: true,
      ...(enable === undefined ? {} : { enable }),
      ...(unmask ? { masked: false } : {}),
      ...(unmaskRuntime ? { masked_runtime: false } : {}),
    };
  },
  async refuses(change: Change<Service>, args: RunningArgs, host: HostView): Promise<void> {
    if (change.action === 'remove') return;
    if (change.to.running === true) await needStartable(args, host);
    if (change.to.enable === true) await needUnit(args, host);
  },
  apply: applyRunning,
  answers: (change) => change.action !== 'remove' && change.to.running === true,
  bringBack: restartOrReload,
  react: restartOrReload,
});

export const serviceDead = defineState({
  name: 'service.dead',
  schema: deadSchema,
  example: `apache2:
  service.dead:
    enable: false
`,
  reach: 'programs',
  takes: ({ name }: DeadArgs) => [`service:${name}`],
  settles: ({ name, ...args }: DeadArgs) => unitSettled(name, { ...args, running: false }),
  read: readDead,
  want: ({ enable }: DeadArgs): Partial<Service> => ({
    running: false,
    ...(enable === undefined ? {} : { enable }),
  }),
  async refuses(change: Change<Service>, { name }: DeadArgs, host: HostView): Promise<void> {
    if (change.action !== 'remove' && change.to.enable === true) await needUnit({ name }, host);
  },
  apply: applyDead,
});

export const serviceModWatch = defineState<ModWatchArgs, Record<string, never>>({
  name: 'service.mod_watch',
  schema: modWatchSchema,
  example: `nginx:
  service.mod_watch:
    reload: true
    watch: [{file: /etc/nginx/nginx.conf}]

/etc/nginx/nginx.conf:
  file.managed:
    mode: "0644"
`,
  needs: needsOfUnit,
  read: () => Promise.resolve({}),
  want: () => ({}),
  apply: () => Promise.resolve(),
  async react(args, host) {
    if (args.sfun === 'running') return restartOrReload(args, host);
    await stop(unitName(args.name), host);
    return 'stopped';
  },
});
