import type { StateType } from '../engine/state-type.ts';
import { accounts } from './accounts/index.ts';
import { code } from './code/index.ts';
import { commands } from './commands/index.ts';
import { databases } from './databases/index.ts';
import { files } from './files/index.ts';
import { network } from './network/index.ts';
import { packages } from './packages/index.ts';
import { services } from './services/index.ts';
import { system } from './system/index.ts';

/** Every state type, by the name that state files use. */
export const stateTypes: ReadonlyMap<string, StateType> = new Map(
  [
    ...accounts,
    ...code,
    ...commands,
    ...databases,
    ...files,
    ...network,
    ...packages,
    ...services,
    ...system,
  ].map((type) => [type.name, type]),
);
