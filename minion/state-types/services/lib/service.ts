import { ConductorError } from '../../../../shared/errors.ts';
import { MEANWHILE, type Settled } from '../../../../shared/surroundings.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { settled } from '../../lib/settled.ts';
import { bringUp, isMaskedUnit, reloadDaemon } from './start-unit.ts';
import { noSuchUnit, readUnit, readUnitNow, templateOf, unitName } from './units.ts';
import type { Unit } from './units.ts';

const SWITCHED: ReadonlyMap<string, boolean> = new Map([
  ['enabled', true],
  ['enabled-runtime', false],
  ['disabled', false],
  ['linked', false],
  ['linked-runtime', false],
  ['masked', false],
  ['masked-runtime', false],
  ['', false],
]);

const NEVER_SWITCHED = /^(?:enabled|static|alias|indirect|transient)$/u;

/**
 * Whether a unit is started at boot. One that can be neither enabled nor disabled (`static`,
 * `alias`, …) is as it was asked for; of one that is made from an init script, that script tells.
 */
export async function isEnabled(unit: Unit, asked: boolean, host: HostView): Promise<boolean> {
  if (unit.loadState === 'not-found') return false;
  if (unit.unitFileState === 'generated') return isScriptEnabled(unit.id, asked, host);
  return SWITCHED.get(unit.unitFileState) ?? asked;
}

/** What fstab and the like have made has no switch; systemctl says "generated" of it, too. */
async function isScriptEnabled(id: string, asked: boolean, host: HostView): Promise<boolean> {
  const answer = await host.query(['systemctl', 'is-enabled', '--', id]);
  const word = answer.stdout.trim();
  if (word === 'generated') return asked;
  return NEVER_SWITCHED.test(word);
}

/** Has a unit started at boot, or not; an alias is switched by the unit's real name. */
export async function setEnabled(name: string, enable: boolean, host: Host): Promise<void> {
  const unit = await reloadDaemon(name, host);
  await host.run(['systemctl', enable ? 'enable' : 'disable', '--', unit.id]);
  host.changed('services');
}

/** What of a unit is decided. */
export function unitSettled(
  name: string,
  { running, enable }: { readonly running?: boolean; readonly enable?: boolean },
): Settled {
  const state = running === false ? `${MEANWHILE} stopped` : 'running';
  return settled(`service:${unitName(name)}`, {
    state: running === undefined ? undefined : state,
    'start at boot': enable === undefined ? undefined : String(enable),
  });
}

/** Refuses a unit that cannot be enabled. */
export async function needUnit(
  { name, unmask = false, unmask_runtime: unmaskRuntime = false }: Startable,
  host: HostView,
): Promise<void> {
  const { loadState, unitFileState } = await knownUnit(name, host);
  if (loadState === 'not-found') throw noSuchUnit('enable', unitName(name));
  const isLifted = unitFileState === 'masked-runtime' ? unmaskRuntime : unmask;
  if (loadState !== 'masked' || isLifted) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot enable "${unitName(name)}": it is masked (service.unmasked lifts that)`,
    { lacks: [] },
  );
}

/** Refuses a unit that cannot be started. */
export async function needStartable(
  { name, unmask = false, unmask_runtime: unmaskRuntime = false }: Startable,
  host: HostView,
): Promise<void> {
  const { loadState, unitFileState } = await knownUnit(name, host);
  if (loadState === 'not-found') throw noSuchUnit('start', unitName(name));
  const isLifted = unitFileState === 'masked-runtime' ? unmaskRuntime : unmask;
  if (loadState === 'masked' && !isLifted) throw isMaskedUnit('start', unitName(name));
}

interface Startable {
  readonly name: string;
  readonly unmask?: boolean;
  readonly unmask_runtime?: boolean;
}

/** Refuses to mask a unit whose own file stands where the mask would. */
export async function needRoomForMask(
  { name, runtime }: { readonly name: string; readonly runtime: boolean },
  host: HostView,
): Promise<void> {
  const path = `/${runtime ? 'run' : 'etc'}/systemd/system/${unitName(name)}`;
  if ((await host.status(path)) === null) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot mask "${unitName(name)}": its own file "${path}" stands where the mask would (service.dead stops it, ` +
      'systemd.unit_absent takes it away)',
    { inTheWay: [`path:${path}`, `unit:${unitName(name)}`] },
  );
}

/** That there is none is asked for once more: its file may be newer than what was read. */
async function knownUnit(name: string, host: HostView): Promise<Unit> {
  const unit = await readUnit(unitName(name), host);
  return unit.loadState === 'not-found' ? readUnitNow(unitName(name), host) : unit;
}

export interface Reaction {
  readonly name: string;
  readonly reload: boolean;
  readonly full_restart: boolean;
  readonly init_delay: number;
}

/** Reloads a unit that can be reloaded, if that is asked for; restarts it otherwise. Says what it did. */
export async function restartOrReload(args: Reaction, host: Host): Promise<string> {
  const unit = unitName(args.name);
  const { canReload, activeState } = await reloadDaemon(unit, host);
  const reloads = args.reload && canReload && activeState === 'active';
  const restart = args.full_restart ? 'full-restart' : 'restart';
  await bringUp(unit, reloads ? 'reload' : restart, args.init_delay, host);
  return reloads ? 'reloaded' : 'restarted';
}

/** What brings a unit about, if the tree declares it. */
export function needsOfUnit({ name }: { readonly name: string }): string[] {
  const unit = unitName(name);
  const template = templateOf(unit);
  const files = template === null ? [unit] : [unit, template];
  const made = files.flatMap((file) => [`path:/etc/systemd/system/${file}`, `unit:${file}`]);
  return [`package:${name}`, ...made];
}

/** Whether a unit is masked: for good, or until the next boot. */
export async function isMasked(
  { name, runtime }: { readonly name: string; readonly runtime: boolean },
  host: HostView,
): Promise<boolean> {
  const { unitFileState } = await readUnit(unitName(name), host);
  return unitFileState === (runtime ? 'masked-runtime' : 'masked');
}
