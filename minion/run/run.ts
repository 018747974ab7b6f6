import { join } from 'node:path';
import { secretTexts } from '../../language/values/data.ts';
import { pillarFromWire } from '../../language/pillar.ts';
import type { PillarValue } from '../../language/pillar.ts';
import type { Tree } from '../../language/tree.ts';
import type { Outcome, Report, RunEvent } from '../../protocol/report.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { ConductorError } from '../../shared/errors.ts';
import { createLogger } from '../../shared/log.ts';
import type { Logger } from '../../shared/log.ts';
import { stateTypesOf } from '../custom-types/load.ts';
import { openJournal } from '../engine/owed.ts';
import type { OwedJournal } from '../engine/owed.ts';
import { loggable } from '../engine/redaction.ts';
import type { Redaction } from '../engine/redaction.ts';
import { runCatalog } from '../engine/run.ts';
import type { StateType } from '../engine/state-type.ts';
import { createRealHost } from '../host/real-host.ts';
import type { RunGroup } from '../host/run-group.ts';
import { openDone, withEarlier } from '../earlier-starts.ts';
import type { Done } from '../earlier-starts.ts';
import { openRegistry } from '../host/registry.ts';
import { alone } from './alone.ts';
import { compileFor, rememberImplicitPorts } from './catalog.ts';
import { memoryOf } from './memory.ts';
import { redactionFor } from './redaction.ts';
import { reportOf } from './report.ts';
import { stopWhen } from './stop.ts';
import { treeOf } from './tree.ts';

export interface RunMeans {
  readonly states: ReadonlyMap<string, StateType>;
  readonly emit: (event: RunEvent) => void;
  /** Cancels the run: what is under way is ended. */
  readonly signal: AbortSignal;
  /** Silence if absent. */
  readonly log?: Logger;
  /** In place of the blobs that the request names. */
  readonly tree?: Tree;
  /** Gives this process a cgroup of its own, if the process is one run and nothing else. */
  readonly enterGroup?: () => Promise<RunGroup>;
}

/**
 * Does one run: compiles the minion's share of a revision and brings it about, or in a dry run
 * says what that would take and writes nothing. Whatever happens becomes part of the report; all
 * events but the last (the report itself) are emitted.
 */
export async function performRun(request: RunRequest, means: RunMeans): Promise<Report> {
  const [startedAt, begun] = [new Date(), performance.now()];
  const stop = stopWhen(means.signal, request.options.timeoutSeconds);
  const { signal } = stop;
  const { log = createLogger({ name: 'run', level: 'error', write: () => undefined }) } = means;
  const { tree = treeOf(request) } = means;
  const pillar = pillarFromWire(request.pillar);
  const progress: Progress = {
    outcomes: new Map(),
    done: null,
    journal: null,
    at: 'before its first state',
    redaction: redactionFor(secretTexts(pillar), request.pillar.fingerprintKey),
  };
  const emit = (event: RunEvent): void => {
    note(progress, event, log);
    means.emit(event);
  };
  const reported = (error: unknown): Report => {
    const milliseconds = performance.now() - begun;
    const found = ended(request, progress);
    return reportOf(request, { startedAt, milliseconds, signal, error, ...found });
  };
  try {
    await alone(request, { ...means, emit, log, signal }, async (group) =>
      compileAndConverge(request, { ...means, emit, log, signal, pillar, tree, group }, progress),
    );
    return reported(null);
  } catch (error) {
    const said = loggable(error, progress.redaction);
    if (!(error instanceof ConductorError)) log.error({ error: said }, 'Run threw a bug');
    return reported(error);
  } finally {
    stop.dispose();
  }
}

/** What there is to report, also when the run ends early. */
interface Progress {
  readonly outcomes: Map<string, Outcome>;
  /** `null` until the run has its turn, and in a dry run. */
  done: Done | null;
  journal: OwedJournal | null;
  redaction: Redaction;
  /** Where it is, for a run that has to end there. */
  at: string;
}

function note(progress: Progress, event: RunEvent, log: Logger): void {
  if (event.event === 'outcome') {
    progress.outcomes.set(event.outcome.key, event.outcome);
    noting(progress, log, (done) => done.note(event.outcome));
  }
  if (event.event === 'waiting') progress.at = 'while it waited for another run to end';
  if (event.event === 'compiling') progress.at = 'before its first state';
  if (event.event === 'started')
    progress.at = `at state ${event.number} of ${event.total}, "${event.id}" (${event.type})`;
}

/** That it cannot be written down is no failure of the run: only a later start of it would not know. */
function noting({ done, redaction }: Progress, log: Logger, write: (done: Done) => void): void {
  try {
    if (done !== null) write(done);
  } catch (error) {
    log.warn({ error: loggable(error, redaction) }, 'What was done could not be written down');
  }
}

function ended({ stateDirectory }: RunRequest, progress: Progress) {
  const { at, done } = progress;
  const outcomes = withEarlier([...progress.outcomes.values()], done?.earlier ?? []);
  const { redact } = progress.redaction;
  // What runs before have left is owed as well by one that has not come to its own states.
  const journal = progress.journal ?? owedBefore(stateDirectory);
  return { outcomes, debts: journal.all(), redact, at };
}

function owedBefore(stateDirectory: string): OwedJournal {
  return openJournal(join(stateDirectory, 'owed.json'), { dryRun: true, onCorrupt: toldLater });
}

function toldLater(): void {
  // The next run that gets to its states will say it, and put it right.
}

interface Work extends Required<Omit<RunMeans, 'enterGroup'>> {
  readonly pillar: PillarValue;
  readonly group: RunGroup | undefined;
}

async function compileAndConverge(
  request: RunRequest,
  means: Work,
  progress: Progress,
): Promise<void> {
  const { stateDirectory, options, minion, masters } = request;
  const { dryRun } = options;
  const { emit, log, signal, tree, group } = means;
  const onCorrupt = (why: string): void => log.error({ why }, 'State file was corrupt');
  const registry = openRegistry(join(stateDirectory, 'registry.json'), { dryRun, onCorrupt });

  if (!dryRun) progress.done = openDone(stateDirectory, options.job);
  emit({ event: 'compiling' });
  const types = await stateTypesOf(tree, means.states);
  const catalog = await compileFor(request, { registry, pillar: means.pillar, types, tree });
  emit({ event: 'compiled', total: catalog.declarations.length });

  const memory = memoryOf(request, { onCorrupt, log });
  const journal = openJournal(join(stateDirectory, 'owed.json'), { dryRun, onCorrupt });
  progress.journal = journal;
  progress.redaction = redactionFor(catalog.secrets, request.pillar.fingerprintKey);
  const { redact } = progress.redaction;
  if (!dryRun) rememberImplicitPorts(catalog, registry);
  const { keeps } = memory;
  const place = { minion: minion.id, masters, registry, keeps, ports: catalog.ports };
  await runCatalog({
    catalog,
    types,
    journal,
    dryRun,
    signal,
    log,
    hosts: createRealHost({ ...place, log, redact, group }),
    redaction: progress.redaction,
    memory,
    isWhole: options.stateFiles.length === 0,
    emit,
    begins: (key) => noting(progress, log, (done) => done.begin(key)),
    unfinished: progress.done?.unfinished ?? new Map(),
  });
}
