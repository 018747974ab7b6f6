import type { MinionMessage } from '../../protocol/messages.ts';
import { ConductorError } from '../../shared/errors.ts';
import { demand, minionCaller, type Permission } from '../gate.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { MinionPauses } from '../pauses/minion-pauses.ts';
import type { Minion } from '../store/store.ts';
import type { Pings } from './pings.ts';
import { type Granted, prepare, type PrepareParts, readBlobs } from './prepare.ts';
import type { Session } from './presence.ts';

export interface DispatchParts extends PrepareParts {
  readonly jobs: Jobs;
  readonly pings: Pings;
  readonly pauses: MinionPauses;
  readonly now: () => Date;
  /** What an operator should look at. */
  readonly alarm: (minion: string, message: string) => void;
}

/** Whose message it is. The identity is the session's, never one that a message names. */
export interface Sender {
  readonly session: Session;
  readonly granted: Granted;
}

type Type = MinionMessage['type'];
type MessageOf<T extends Type> = Extract<MinionMessage, { type: T }>;

interface Rule {
  readonly permission: Permission;
  readonly handle: (parts: DispatchParts, sender: Sender, message: MinionMessage) => Promise<void>;
}

const RULES: ReadonlyMap<Type, Rule> = Object.freeze(
  new Map([
    rule('hello', 'minion.session', greet),
    rule('facts', 'minion.session', async ({ store, now }, { session }, { facts }) => {
      await store.minions.setFacts(session.minion, facts, now().toISOString());
    }),
    rule('schedule', 'minion.session', async ({ store, pauses }, { session }, message) => {
      const { nextRefresh, pause, scheduleSource } = message;
      await store.minions.note(session.minion, { nextRefresh });
      await pauses.heard(session, { pause, scheduleSource, isHello: false });
    }),
    rule('job-accepted', 'minion.session', async ({ jobs }, { session }, message) => {
      await jobs.accepted(session.minion, message.job, message);
    }),
    rule('job-event', 'minion.session', async ({ jobs }, { session }, { job, event }) => {
      await jobs.progressed(session.minion, job, event);
    }),
    rule('report', 'minion.session', takeReport),
    rule('prepare', 'minion.session', async (parts, { session, granted }, message) => {
      const minion = await currentMinion(parts, session);
      session.send(await prepare(parts, { minion, granted }, message));
    }),
    rule('blobs', 'minion.session', async (parts, { session, granted }, message) => {
      session.send(await readBlobs(parts, granted, message));
    }),
    rule('pong', 'minion.session', async ({ pings }, { session }, { request }) => {
      await Promise.resolve(pings.answered(session.minion, request));
    }),
    rule('put-aside', 'minion.session', async ({ alarm }, { session: { minion } }, { files }) => {
      for (const file of files)
        await Promise.resolve(alarm(minion, `"${minion}" has put a damaged file aside: ${file}`));
    }),
  ]),
);

/** Carries out one message of an accepted minion. What it throws costs the session. */
export async function dispatch(
  parts: DispatchParts,
  sender: Sender,
  message: MinionMessage,
): Promise<void> {
  const rule = RULES.get(message.type);
  if (rule === undefined)
    throw new ConductorError('MESSAGE_INVALID', `Cannot handle a "${message.type}" message`);
  demand(minionCaller(sender.session.minion), rule.permission);
  await currentMinion(parts, sender.session);
  await rule.handle(parts, sender, message);
}

/** A key that has been revoked, replaced or given other rights since ends the session. */
async function currentMinion({ store }: PrepareParts, session: Session): Promise<Minion> {
  const minion = await store.minions.get(session.minion);
  if (minion !== null && minion.state === 'accepted' && minion.generation === session.generation)
    return minion;
  const message = `Cannot go on with "${session.minion}": its key has changed`;
  throw new ConductorError('ENROLMENT_REFUSED', message);
}

async function greet(
  { store, jobs, pauses, now }: DispatchParts,
  { session }: Sender,
  hello: MessageOf<'hello'>,
): Promise<void> {
  const { version, facts, nextRefresh, jobs: known, pause, scheduleSource } = hello;
  session.capabilities = new Set(hello.capabilities);
  const at = now().toISOString();
  // Together, so that they share a commit: all minions of a master that was away come at once.
  await Promise.all([
    store.minions.note(session.minion, { version, nextRefresh }),
    store.minions.setFacts(session.minion, facts, at),
  ]);
  await jobs.reconcile(session, known);
  await pauses.heard(session, { pause, scheduleSource, isHello: true });
}

async function takeReport(
  { jobs }: DispatchParts,
  { session }: Sender,
  { report }: MessageOf<'report'>,
): Promise<void> {
  if (report.minion !== session.minion) {
    const message = `Cannot take a report of "${report.minion}" from "${session.minion}"`;
    throw new ConductorError('MESSAGE_INVALID', message);
  }
  await jobs.reported(session.minion, report);
  session.send({ type: 'report-stored', job: report.job });
}

function rule<T extends Type>(
  type: T,
  permission: Permission,
  handle: (parts: DispatchParts, sender: Sender, message: MessageOf<T>) => Promise<void>,
): [Type, Rule] {
  const checked: Rule['handle'] = async (parts, sender, message) => {
    if (isOf(message, type)) await handle(parts, sender, message);
  };
  return [type, { permission, handle: checked }];
}

function isOf<T extends Type>(message: MinionMessage, type: T): message is MessageOf<T> {
  return message.type === type;
}
