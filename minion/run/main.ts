import { text } from 'node:stream/consumers';
import { runRequestSchema } from '../../protocol/run-request.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import type { RunEvent } from '../../protocol/report.ts';
import { systemCode } from '../../shared/errors.ts';
import { createLogger, logFormat } from '../../shared/log.ts';
import { stateTypes } from '../state-types/index.ts';
import { enterRunGroup } from '../host/run-group.ts';
import { endingBy } from './endings.ts';
import { performRun } from './run.ts';
import { NOT_SPOOLED } from '../agent-files.ts';
import { spoolReport } from './spool.ts';

/**
 * The child process of one run: a `RunRequest` on standard input, `RunEvent`s as lines of JSON on
 * standard output, the report last. Exits with 0 whenever there is a report. An operator cancels it by USR2, a host by TERM.
 * A parent that dies does not: the run goes on, and its report waits in the spool.
 */

const cancel = new AbortController();
for (const signal of ['SIGUSR2', 'SIGTERM'] as const)
  process.on(signal, () => cancel.abort(endingBy(signal)));
// The parent's terminal and its end are not ours.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => undefined);
process.umask(0o022);

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
  });
}

const log = createLogger({
  name: 'run',
  level: 'info',
  format: logFormat(process.env),
  write: (line) => void process.stderr.write(line),
});

const request = await readRequest();
if (request === null) process.exitCode = 70;
else await perform(request);

async function readRequest(): Promise<RunRequest | null> {
  try {
    return runRequestSchema.parse(JSON.parse(await text(process.stdin)));
  } catch (error) {
    // What is wrong with JSON is told with a piece of it, in which a secret may stand.
    const fields = error instanceof SyntaxError ? { problem: 'it is no JSON' } : { error };
    log.error(fields, 'Run request was unusable');
    return null;
  }
}

async function perform(request: RunRequest): Promise<void> {
  const runLog = log.child({ job: request.options.job });
  const report = await performRun(request, {
    states: stateTypes,
    emit,
    signal: cancel.signal,
    log: runLog,
    enterGroup: enterRunGroup,
  });
  try {
    spoolReport(request.stateDirectory, report);
  } catch (error) {
    // The report still reaches a parent that is there.
    runLog.error({ error }, 'Report could not be spooled');
    process.exitCode = NOT_SPOOLED;
  }
  emit({ event: 'report', report });
  runLog.info({ status: report.status, counts: report.counts }, 'Run ended');
  // Whatever a state that could not be ended still holds open must not keep us.
  setTimeout(() => process.exit(), 1000).unref();
}

function emit(event: RunEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
