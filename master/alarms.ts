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

/** Of one minion: whatever it makes up, those of the others stay. */
const KEPT = 20;
const SHOWN_MS = 86_400_000;

export function createAlarms(now: () => Date): Alarms {
  let alarms: readonly Alarm[] = [];
  const shown = (): readonly Alarm[] => {
    const oldest = new Date(now().getTime() - SHOWN_MS).toISOString();
    return alarms.filter(({ at }) => at > oldest);
  };
  return {
    raise(minion, message) {
      const others = shown().filter((alarm) => alarm.message !== message);
      const tooMany = new Set(others.filter((alarm) => alarm.minion === minion).slice(KEPT - 1));
      const at = now().toISOString();
      alarms = [{ at, minion, message }, ...others.filter((alarm) => !tooMany.has(alarm))];
    },
    list: shown,
  };
}
