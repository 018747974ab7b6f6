import type { ChannelEnd } from '../../protocol/channel.ts';
import type { MasterChannel } from '../../protocol/connect.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import type { Core } from './core.ts';

export interface SessionParts {
  readonly core: Core;
  readonly version: string;
  readonly intentions: () => Intentions;
  /** The agent is to stop. */
  readonly signal: AbortSignal;
  /** How often it looks for reports that have been put off; ten minutes if absent. */
  readonly deliverMs?: number;
}

/** What this agent will do by itself, as its master is told. */
export type Intentions = Omit<Extract<MinionMessage, { readonly type: 'schedule' }>, 'type'>;

/** What this agent can, beyond what every one can. */
const CAPABILITIES: readonly string[] = ['refuses-when-busy', 'pause'];

const DELIVER_MS = 600_000;

/** One session's whole life: greets the master, delivers what is spooled, does what it asks. */
export async function attendMaster(
  { core, version, intentions, signal, deliverMs = DELIVER_MS }: SessionParts,
  channel: MasterChannel,
): Promise<ChannelEnd> {
  const facts = await core.facts();
  const stop = (): void => void channel.close('done');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const attending = core.link.attend(channel, (message) =>
    core.reserve.lend(() => obey(core, message)),
  );
  core.tell({
    type: 'hello',
    version,
    capabilities: [...CAPABILITIES],
    facts,
    jobs: knownJobs(core),
    ...intentions(),
  });
  core.spool.deliver();
  core.tellPutAside();
  const delivering = setInterval(() => core.spool.deliver(), deliverMs).unref();
  const end = await attending;
  clearInterval(delivering);
  signal.removeEventListener('abort', stop);
  core.spool.disconnected(end.reason === 'failed' && end.by === 'them');
  return end;
}

function knownJobs({ runs, spool }: Core): string[] {
  const unfinished = [...(runs.running === null ? [] : [runs.running]), ...runs.waiting];
  return [...new Set([...unfinished.map(({ options }) => options.job), ...spool.jobs()])];
}

type MessageOf<Type> = Extract<MasterMessage, { readonly type: Type }>;

function obey(core: Core, message: MasterMessage): void {
  if (isPauseOrder(message)) return obeyPause(core, message);
  switch (message.type) {
    case 'job':
      acceptJob(core, message);
      return;
    case 'cancel':
      core.runs.cancel(message.job);
      return;
    case 'report-stored':
      // In this order: who is killed in between sends it again, and does not run it again.
      core.runs.reported(message.job);
      core.spool.stored(message.job);
      return;
    case 'ping':
      core.tell({ type: 'pong', request: message.request });
      return;
    case 'send-facts':
      void sendFacts(core);
      return;
    case 'prepared':
    case 'blobs':
    case 'refused':
      // Answers are taken out by the link.
      return;
  }
}

type PauseOrder = MessageOf<'pause'> | MessageOf<'resume'>;

function isPauseOrder(message: MasterMessage): message is PauseOrder {
  return message.type === 'pause' || message.type === 'resume';
}

function obeyPause({ pauses, log }: Core, message: PauseOrder): void {
  if (message.type === 'resume') {
    pauses.lift();
    return;
  }
  const { seconds, why } = message;
  try {
    pauses.begin({ seconds, why }, 'master');
  } catch (error) {
    // The master waits for news of it, and finds none.
    log.error({ error }, 'Pause could not be kept');
  }
}

async function sendFacts(core: Core): Promise<void> {
  core.tell({ type: 'facts', facts: await core.facts() });
}

/** A job that is known already is accepted again: the master may not have heard it. */
function acceptJob(
  core: Core,
  { options, revision, expiresInSeconds, queue }: MessageOf<'job'>,
): void {
  const { runs, log } = core;
  const isBusy = runs.running !== null;
  const now = core.now();
  const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000).toISOString();
  const how = queue === undefined ? {} : { queue };
  const times = { receivedAt: now.toISOString(), expiresAt };
  const entry = { options, revision, ...times, ...how, starts: 0, child: null };
  const isNew = runs.add(entry);
  log.info({ job: options.job, dryRun: options.dryRun, isNew, isBusy }, 'Job accepted');
  core.tell({ type: 'job-accepted', job: options.job, waiting: runs.isWaiting(options.job) });
}
