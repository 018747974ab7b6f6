import type { StateType } from '../../engine/state-type.ts';
import { circusWatcher, circusWatcherAbsent } from './circus.ts';
import { serviceDead, serviceRunning } from './service.ts';
import { supervisorProgram, supervisorProgramAbsent } from './supervisor.ts';
import { waitHttp, waitPort } from './wait.ts';

/** Services, processes and waiting for them. */
export const services: readonly StateType[] = [
  circusWatcher,
  circusWatcherAbsent,
  serviceDead,
  serviceRunning,
  supervisorProgram,
  supervisorProgramAbsent,
  waitHttp,
  waitPort,
];
