import type { Logger } from '../shared/log.ts';

export interface Alarm {
  readonly at: string;
  readonly minion: string;
  readonly message: string;
}

/** What an operator should look at; shown by `master status` until it is old. */
export interface Alarms {
  raise(minion: string, message: string): void;
  /** Newest first. */
  list(): readonly Alarm[];
}

/** Alarms that the log tells as well; `alarm` raises one. */
export function createLoudAlarms(log: Logger, now: () => Date) {
  const alarms = createAlarms(now);
  const alarm = (minion: string, message: string): void => {
    log.warn({ minion, alarm: message }, 'Alarm raised');
    alarms.raise(minion, message);
  };
  return { alarms, alarm };
}

const KEPT = 100;
const SHOWN_MS = 86_400_000;

export function createAlarms(now: () => Date): Alarms {
  const alarms: Alarm[] = [];
  return {
    raise(minion, message) {
      const known = alarms.findIndex((alarm) => alarm.message === message);
      if (known >= 0) alarms.splice(known, 1);
      alarms.unshift({ at: now().toISOString(), minion, message });
      alarms.splice(KEPT);
    },
    list() {
      const oldest = new Date(now().getTime() - SHOWN_MS).toISOString();
      return alarms.filter(({ at }) => at > oldest);
    },
  };
}
