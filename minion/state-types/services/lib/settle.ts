import { performance } from 'node:perf_hooks';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { othersPartOf } from '../../lib/others.ts';

const POLL_MS = 250;
const START_TIMEOUT_MS = 15_000;

/** What a process manager says about one of its programs. */
export interface Running {
  readonly pids: readonly number[];
  /** Why it will not come up any more; `null` if it may. */
  readonly given_up: string | null;
}

export interface Probe {
  /** For messages: `the watcher "shop"`. */
  readonly what: string;
  readonly processes: number;
  /** Seconds that the processes must live. */
  readonly initDelay: number;
  readonly look: () => Promise<Running>;
  /** Where it writes its errors, whose last lines are shown. */
  readonly log?: string;
}

/** Waits until all processes of a program are up and have lived for a while; throws if one dies. */
export async function settle(host: HostView, probe: Probe): Promise<void> {
  const { what, processes, initDelay, look } = probe;
  if (processes === 0) return;
  const started = await untilStarted(host, probe);
  let lived = 0;
  while (lived < initDelay * 1000) {
    const begun = performance.now();
    await host.sleep(POLL_MS);
    const now = await look();
    // Looking takes its time, too: a process manager may need longer to answer than we slept.
    lived += Math.max(POLL_MS, performance.now() - begun);
    const died = started.filter((pid) => !now.pids.includes(pid));
    if (died.length === 0) continue;
    const after = Math.round(lived / 100) / 10;
    throw await notUp(
      host,
      probe,
      `${what} does not stay up: it died within ${after} s of its start`,
    );
  }
}

async function untilStarted(host: HostView, probe: Probe): Promise<readonly number[]> {
  const { what, processes, look } = probe;
  for (let waited = 0; waited <= START_TIMEOUT_MS; waited += POLL_MS) {
    const { pids, given_up } = await look();
    if (given_up !== null) throw await notUp(host, probe, `${what} does not come up: ${given_up}`);
    if (pids.length >= processes) return pids;
    await host.sleep(POLL_MS);
  }
  throw await notUp(
    host,
    probe,
    `${what} does not come up: fewer than ${processes} of its processes run`,
  );
}

async function notUp(host: HostView, { log }: Probe, message: string): Promise<ConductorError> {
  if (log === undefined) return new ConductorError('CHECK_FAILED', message);
  const tail = await host.query(['tail', '--lines=3', '--', log], await readerOf(log, host));
  const words = tail.stdout.trim();
  return new ConductorError('CHECK_FAILED', words === '' ? message : `${message} (${words})`);
}

/** Whoever can make a log a link to another file is shown no more than what is theirs to read. */
async function readerOf(log: string, host: HostView): Promise<{ readonly user?: string }> {
  const part = await othersPartOf(log, host);
  if (part === null) return {};
  const isKnown = part.user !== 'root' && (await host.accounts()).has(part.user);
  return { user: isKnown ? part.user : 'nobody' };
}
