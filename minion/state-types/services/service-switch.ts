import type { Settled } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import {
  isEnabled,
  isMasked,
  needRoomForMask,
  needUnit,
  needsOfUnit,
  setEnabled,
  unitSettled,
} from './lib/service.ts';
import { settled } from '../lib/settled.ts';
import { readUnit, unitName } from './lib/units.ts';
import { disabledSchema, enabledSchema, maskedSchema, unmaskedSchema } from './service-schema.ts';
import type { MaskArgs, UnitArgs } from './service-schema.ts';

/** Whether a unit is started at boot. */
type Switch = { enable: boolean };
/** Whether a unit can be started at all. */
type Mask = { masked: boolean };

async function readSwitch(name: string, asked: boolean, host: HostView): Promise<Switch> {
  return { enable: await isEnabled(await readUnit(unitName(name), host), asked, host) };
}

export const serviceEnabled = defineState<UnitArgs, Switch>({
  name: 'service.enabled',
  schema: enabledSchema,
  example: `nginx:
  service.enabled: []
`,
  needs: needsOfUnit,
  settles: ({ name }) => unitSettled(name, { enable: true }),
  read: ({ name }, host) => readSwitch(name, true, host),
  want: () => ({ enable: true }),
  refuses: (_change, { name }, host) => needUnit({ name }, host),
  apply: (_change, { name }, host) => setEnabled(unitName(name), true, host),
});

export const serviceDisabled = defineState<UnitArgs, Switch>({
  name: 'service.disabled',
  schema: disabledSchema,
  example: `apt-daily.timer:
  service.disabled: []
`,
  needs: needsOfUnit,
  settles: ({ name }) => unitSettled(name, { enable: false }),
  read: ({ name }, host) => readSwitch(name, false, host),
  want: () => ({ enable: false }),
  apply: (_change, { name }, host) => setEnabled(unitName(name), false, host),
});

async function readMask(args: MaskArgs, host: HostView): Promise<Mask> {
  return { masked: await isMasked(args, host) };
}

function maskSettled({ name, runtime }: MaskArgs, mask: string): Settled {
  const word = runtime ? 'mask until the next boot' : 'mask';
  return settled(`service:${unitName(name)}`, { [word]: mask });
}

async function setMask(verb: 'mask' | 'unmask', args: MaskArgs, host: Host): Promise<void> {
  const flags = args.runtime ? ['--runtime'] : [];
  await host.run(['systemctl', verb, ...flags, '--', unitName(args.name)]);
  host.changed('services');
}

export const serviceMasked = defineState<MaskArgs, Mask>({
  name: 'service.masked',
  schema: maskedSchema,
  example: `systemd-networkd:
  service.masked: []
`,
  needs: ({ name }) => [`package:${name}`],
  settles: (args) => maskSettled(args, 'masked'),
  read: readMask,
  want: () => ({ masked: true }),
  refuses: (_change, args, host) => needRoomForMask(args, host),
  apply: (_change, args, host) => setMask('mask', args, host),
});

export const serviceUnmasked = defineState<MaskArgs, Mask>({
  name: 'service.unmasked',
  schema: unmaskedSchema,
  example: `nginx:
  service.unmasked: []
`,
  provides: ({ name }) => [`unmasked:${unitName(name)}`],
  needs: ({ name }) => [`package:${name}`],
  settles: (args) => maskSettled(args, 'unmasked'),
  read: readMask,
  want: () => ({ masked: false }),
  apply: (_change, args, host) => setMask('unmask', args, host),
});
