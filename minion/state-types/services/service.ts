import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { seconds } from '../lib/fields.ts';
import { bringUp, reloadDaemon } from './lib/start-unit.ts';
import { readUnit, unitName } from './lib/units.ts';
import type { Unit } from './lib/units.ts';

/** How one unit is. */
export type Service = { running: boolean; enable: boolean; masked: boolean };

const name = z
  .string()
  .regex(/^[A-Za-z0-9:_.\\@-]+$/u, { error: 'expected the name of a unit, such as nginx' })
  .describe('Name of the unit; without an ending it is a service');

const runningSchema = z
  .strictObject({
    name,
    enable: z.boolean().exactOptional().describe('Whether it is started at boot'),
    reload: z
      .boolean()
      .default(false)
      .describe('Whether it is reloaded, and not restarted, when something it watches changes'),
    init_delay: seconds
      .default(1)
      .describe('Seconds after a start during which it must stay up to count as running'),
    unmask: z.boolean().default(false).describe('Whether a mask is lifted'),
  })
  .describe(
    'A systemd unit that is active. A unit that ends right after its start is a failure, told with the ' +
      'end of its journal. When something it watches has changed it is restarted, or reloaded. ' +
      'A unit without an [Install] section cannot be enabled or disabled, and `enable` says nothing of it.',
  );

const deadSchema = z
  .strictObject({
    name,
    enable: z.boolean().exactOptional().describe('Whether it is started at boot all the same'),
  })
  .describe('A systemd unit that is not active. A unit that does not exist is dead, too.');

type RunningArgs = z.infer<typeof runningSchema>;
type DeadArgs = z.infer<typeof deadSchema>;

const ACTIVE: readonly string[] = ['active', 'reloading'];
/** A unit that systemd starts over and over is not running, but it is not dead either. */
const DEAD: readonly string[] = ['inactive', 'failed'];
const SWITCHED: ReadonlyMap<string, boolean> = new Map([
  ['enabled', true],
  ['enabled-runtime', false],
  ['disabled', false],
  ['masked', false],
  ['masked-runtime', false],
  ['', false],
]);

type UnitArgs = { name: string; enable?: boolean };

async function readRunning(args: UnitArgs, host: HostView): Promise<Service> {
  const unit = await readUnit(unitName(args.name), host);
  return { running: ACTIVE.includes(unit.activeState), ...settingsOf(unit, args) };
}

async function readDead(args: UnitArgs, host: HostView): Promise<Service> {
  const unit = await readUnit(unitName(args.name), host);
  return { running: !DEAD.includes(unit.activeState), ...settingsOf(unit, args) };
}

function settingsOf(unit: Unit, { enable = false }: UnitArgs): Omit<Service, 'running'> {
  return { enable: isEnabled(unit, enable), masked: unit.loadState === 'masked' };
}

/** A unit that can be neither enabled nor disabled (`static`, `alias`, …) is as it was asked for. */
function isEnabled({ unitFileState, loadState }: Unit, asked: boolean): boolean {
  if (loadState === 'not-found') return false;
  return SWITCHED.get(unitFileState) ?? asked;
}

async function applyRunning(change: Change<Service>, args: RunningArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const unit = unitName(args.name);
  const { running, enable, masked } = change.to;
  if (masked === false) await host.run(['systemctl', 'unmask', '--', unit]);
  if (running === true) await bringUp(unit, 'start', args.init_delay, host);
  if (enable !== undefined) await setEnabled(unit, enable, host);
  host.changed('services');
}

async function setEnabled(unit: string, enable: boolean, host: Host): Promise<void> {
  await reloadDaemon(unit, host);
  await host.run(['systemctl', enable ? 'enable' : 'disable', '--', unit]);
}

async function react(args: RunningArgs, host: Host): Promise<string> {
  const unit = unitName(args.name);
  const { canReload, activeState } = await reloadDaemon(unit, host);
  const reloads = args.reload && canReload && activeState === 'active';
  await bringUp(unit, reloads ? 'reload' : 'restart', args.init_delay, host);
  return reloads ? 'reloaded' : 'restarted';
}

async function applyDead(change: Change<Service>, args: DeadArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const unit = unitName(args.name);
  const { running, enable } = change.to;
  if (running === false) await host.run(['systemctl', 'stop', '--', unit]);
  if (enable !== undefined) await setEnabled(unit, enable, host);
  host.changed('services');
}

const needs = ({ name }: { name: string }): string[] => [
  `package:${name}`,
  `path:/etc/systemd/system/${unitName(name)}`,
];

export const serviceRunning = defineState({
  name: 'service.running',
  schema: runningSchema,
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
  needs,
  read: readRunning,
  want: ({ enable, unmask }: RunningArgs): Partial<Service> => ({
    running: true,
    ...(enable === undefined ? {} : { enable }),
    ...(unmask ? { masked: false } : {}),
  }),
  apply: applyRunning,
  answers: (change) => change.action !== 'remove' && change.to.running === true,
  react,
});

export const serviceDead = defineState({
  name: 'service.dead',
  schema: deadSchema,
  example: `apache2:
  service.dead:
    enable: false
`,
  read: readDead,
  want: ({ enable }: DeadArgs): Partial<Service> => ({
    running: false,
    ...(enable === undefined ? {} : { enable }),
  }),
  apply: applyDead,
});
