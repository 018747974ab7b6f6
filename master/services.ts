import type { StateSchemas } from '../language/state-schema.ts';
import type { Logger } from '../shared/log.ts';
import type { Alarms } from './alarms.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { MinionPauses } from './pauses/minion-pauses.ts';
import type { Publisher } from './revisions/publisher.ts';
import type { Backoff } from './sessions/backoff.ts';
import type { PillarKeys } from './sessions/compiled-pillar.ts';
import type { Pings } from './sessions/pings.ts';
import type { Presence } from './sessions/presence.ts';
import type { Store } from './store/store.ts';

/** All that a route may need: handed in whole, so that tests can hand in less real parts. */
export interface Services {
  readonly store: Store;
  readonly presence: Presence;
  readonly jobs: Jobs;
  readonly publisher: Publisher;
  readonly pings: Pings;
  readonly pauses: MinionPauses;
  readonly backoff: Backoff;
  readonly alarms: Alarms;
  readonly pillarKeys: PillarKeys;
  readonly states: StateSchemas;
  readonly log: Logger;
  readonly now: () => Date;
  /** Of the root key: what minions pin. */
  readonly rootFingerprint: string;
  /** `host:port`: where minions connect, and how they find it. */
  readonly listen: string;
  readonly address: string;
}
