import type { ChannelEnd } from '../../protocol/channel.ts';
import type { MasterChannel } from '../../protocol/connect.ts';
import type { MasterMessage } from '../../protocol/messages.ts';
import type { Core } from './core.ts';

export interface SessionParts {
  readonly core: Core;
  readonly version: string;
  readonly nextRefresh: () => Date | null;
  /** The agent is to stop. */
  readonly signal: AbortSignal;
}

/** What this agent can, beyond what every one can. None so far. */
const CAPABILITIES: readonly string[] = [];

/** One session's whole life: greets the master, delivers what is spooled, does what it asks. */
export async function attendMaster(
  { core, version, nextRefresh, signal }: SessionParts,
  channel: MasterChannel,
): Promise<ChannelEnd> {
  const facts = await core.facts();
  const stop = (): void => void channel.close('done');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const attending = core.link.attend(channel, (message) => obey(core, message));
  core.tell({
    type: 'hello',
    version,
    capabilities: [...CAPABILITIES],
    facts,
    jobs: knownJobs(core),
    nextRefresh: nextRefresh()?.toISOString() ?? null,
  });
  core.spool.deliver();
  core.tellPutAside();
  const end = await attending;
  signal.removeEventListener('abort', stop);
  core.spool.disconnected();
  return end;
}

function knownJobs({ runs, spool }: Core): string[] {
  const unfinished = [...(runs.running === null ? [] : [runs.running]), ...runs.waiting];
  return [...new Set([...unfinished.map(({ options }) => options.job), ...spool.jobs()])];
}

type MessageOf<Type> = Extract<MasterMessage, { readonly type: Type }>;

function obey(core: Core, message: MasterMessage): void {
  switch (message.type) {
    case 'job':
      acceptJob(core, message);
      return;
    case 'cancel':
      core.runs.cancel(message.job);
      return;
    case 'report-stored':
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

async function sendFacts(core: Core): Promise<void> {
  core.tell({ type: 'facts', facts: await core.facts() });
}

/** A job that is known already is accepted again: the master may not have heard it. */
function acceptJob(core: Core, { options, revision, expiresAt }: MessageOf<'job'>): void {
  const { runs, log } = core;
  const isBusy = runs.running !== null;
  const receivedAt = core.now().toISOString();
  const entry = { options, revision, receivedAt, expiresAt, starts: 0, child: null };
  const isNew = runs.add(entry);
  log.info({ job: options.job, dryRun: options.dryRun, isNew, isBusy }, 'Job accepted');
  core.tell({ type: 'job-accepted', job: options.job, waiting: runs.isWaiting(options.job) });
}
