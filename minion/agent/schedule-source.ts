import { canonicalJson } from '../../shared/canonical-json.ts';
import type { Logger } from '../../shared/log.ts';
import { dailyCron } from '../../shared/schedule/cron.ts';
import { readSchedule } from '../../shared/schedule/read-schedule.ts';
import { LOCAL_ZONE } from '../../shared/schedule/zone.ts';
import { minuteOfDay } from '../../shared/schedule/read-windows.ts';
import type { Rule, Schedule } from '../../shared/schedule/schedule.ts';
import type { KeptSchedule } from '../agent-files.ts';
import { minionConfigSchema } from '../config-schema.ts';
import type { RefreshConfig } from '../config-schema.ts';

export type Json = NonNullable<KeptSchedule['schedule']>;

/** A schedule, and who says so. */
export interface SourcedSchedule {
  readonly source: 'pillar' | 'minion.yaml' | 'default';
  readonly schedule: Schedule;
  /** As the pillar has it; `null` if it says nothing. */
  readonly written: Json | null;
}

/** The pillar's, if it says one; else that of minion.yaml, which is daily unless it says otherwise. */
export function sourcedSchedule(
  written: Json | null,
  refresh: RefreshConfig,
  log: Logger,
): SourcedSchedule {
  const fallback = configured(refresh);
  if (written === null) return fallback;
  const { schedule, issues } = readSchedule(written);
  if (schedule !== null) return { source: 'pillar', schedule, written };
  // The master refuses such a pillar: it is newer than this minion, or somebody has been at our files.
  log.error({ issues, instead: fallback.source }, 'Schedule of the pillar could not be read');
  return { ...fallback, written };
}

function configured(refresh: RefreshConfig): SourcedSchedule {
  const isDefault = canonicalJson(refresh) === canonicalJson(minionConfigSchema.parse({}).refresh);
  const rest = { zone: LOCAL_ZONE, week: null, catchUp: true, timeoutSeconds: 3600, retry: null };
  return {
    source: isDefault ? 'default' : 'minion.yaml',
    schedule: { ...rest, rule: configuredRule(refresh) },
    written: null,
  };
}

function configuredRule({ at, every, splay: splaySeconds }: RefreshConfig): Rule {
  const minute = at === null ? null : minuteOfDay(at);
  if (minute !== null) return { kind: 'cron', cron: dailyCron(minute), splaySeconds };
  return every === 'never' ? { kind: 'never' } : { kind: 'every', seconds: every };
}
