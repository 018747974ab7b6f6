import type { StateType } from '../../engine/state-type.ts';
import { circusWatcher, circusWatcherAbsent } from './circus.ts';
import { processAbsent } from './process.ts';
import {
  serviceDisabled,
  serviceEnabled,
  serviceMasked,
  serviceUnmasked,
} from './service-switch.ts';
import { serviceDead, serviceModWatch, serviceRunning } from './service.ts';
import { supervisorProgram, supervisorProgramAbsent } from './supervisor.ts';
import { systemdUnit, systemdUnitAbsent } from './systemd.ts';
import { waitFile } from './wait-file.ts';
import { waitHttp, waitPort } from './wait.ts';

/** Services, processes and waiting for them. */
export const services: readonly StateType[] = [
  circusWatcher,
  circusWatcherAbsent,
  processAbsent,
  serviceDead,
  serviceDisabled,
  serviceEnabled,
  serviceMasked,
  serviceModWatch,
  serviceRunning,
  serviceUnmasked,
  supervisorProgram,
  supervisorProgramAbsent,
  systemdUnit,
  systemdUnitAbsent,
  waitFile,
  waitHttp,
  waitPort,
];
