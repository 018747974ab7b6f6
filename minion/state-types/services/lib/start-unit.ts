import { ConductorError } from '../../../../shared/errors.ts';
import type { Host } from '../../../host/host.ts';
import { noSuchUnit, readUnitNow } from './units.ts';
import type { Unit } from './units.ts';

const LOOK_EVERY_MS = 250;
const LONGEST_START_MS = 120_000;

/** How a unit is brought up. */
export type StartVerb = 'start' | 'restart' | 'reload' | 'full-restart';

/**
 * Brings a unit up and watches it: it must be active, and still be so, and not have been started
 * anew by systemd, when the delay is over. Throws COMMAND_FAILED with what the journal says of it.
 */
export async function bringUp(
  name: string,
  verb: StartVerb,
  delaySeconds: number,
  host: Host,
): Promise<void> {
  const before = await reloadDaemon(name, host);
  if (before.loadState === 'not-found') {
    throw noSuchUnit(verb, name);
  }
  if (before.loadState === 'masked') {
    throw isMaskedUnit(verb, name);
  }
  try {
    if (before.activeState === 'failed') await host.run(['systemctl', 'reset-failed', '--', name]);
    await carryOut(verb, name, host);
    await watch(name, verb, delaySeconds, host);
  } catch (error) {
    throw await explained(error, name, verb, host);
  } finally {
    host.changed('services');
  }
}

export function isMaskedUnit(verb: StartVerb, name: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot ${verb} "${name}": it is masked (unmask: true lifts that)`,
    { lacks: [] },
  );
}

/** A full restart stops the unit first, and all that is bound to it, before it is started again. */
async function carryOut(verb: StartVerb, name: string, host: Host): Promise<void> {
  if (verb === 'full-restart') await host.run(['systemctl', 'stop', '--', name]);
  const word = verb === 'full-restart' ? 'start' : verb;
  await host.run(['systemctl', word, '--', name]);
}

/** Lets systemd read unit files that are newer than what it knows. */
export async function reloadDaemon(name: string, host: Host): Promise<Unit> {
  const unit = await readUnitNow(name, host);
  if (!unit.needsDaemonReload) return unit;
  await host.run(['systemctl', 'daemon-reload']);
  host.changed('services');
  return readUnitNow(name, host);
}

async function watch(
  name: string,
  verb: StartVerb,
  delaySeconds: number,
  host: Host,
): Promise<void> {
  const first = await settled(name, host);
  await host.sleep(delaySeconds * 1000);
  const last = await settled(name, host);
  const isUp = last.activeState === 'active' && last.subState !== 'auto-restart';
  if (isUp && last.restarts === first.restarts) return;
  const state = isUp
    ? 'it ended and was started anew'
    : `it is ${last.activeState} (${last.subState})`;
  throw new ConductorError('COMMAND_FAILED', `Cannot ${verb} "${name}": ${state}`);
}

/** The unit once it has stopped changing its state. */
async function settled(name: string, host: Host): Promise<Unit> {
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const unit = await readUnitNow(name, host);
    const isMoving = ['activating', 'deactivating', 'reloading'].includes(unit.activeState);
    if (!isMoving || unit.subState === 'auto-restart' || waited >= LONGEST_START_MS) return unit;
    await host.sleep(LOOK_EVERY_MS);
  }
}

/** A failure with the end of the unit's own log. */
async function explained(error: unknown, name: string, verb: string, host: Host): Promise<unknown> {
  if (!(error instanceof ConductorError) || error.code !== 'COMMAND_FAILED') return error;
  const argv = [
    'journalctl',
    '--no-pager',
    '--lines=20',
    '--output=cat',
    `--unit=${name}`,
  ] as const;
  const journal = await host.query(argv);
  const message = error.message.startsWith('Cannot run')
    ? `Cannot ${verb} "${name}": ${(await readUnitNow(name, host)).activeState === 'failed' ? 'it failed' : 'systemctl refuses'}`
    : error.message;
  const said = [error.details['output'], journal.stdout].filter((text) => typeof text === 'string');
  return new ConductorError('COMMAND_FAILED', message, {
    output: said.join('\n').trim(),
    cause: error,
  });
}
