import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { needStateFiles } from '../../language/states/named-on-command-line.ts';
import type { JobEvent } from '../../protocol/messages.ts';
import type { JobAnswer } from '../api/answers.ts';
import { applyRequest, emptyRequest, listJobsQuery, retryRequest } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { Caller } from '../gate.ts';
import { findMinions } from '../jobs/find-minions.ts';
import { findRun, idOf, listRuns, type Run } from '../jobs/find-run.ts';
import { hasEnded } from '../jobs/job-result.ts';
import type { JobRequest } from '../jobs/jobs.ts';
import { retell } from '../jobs/retell.ts';
import { retryOf } from '../jobs/retry.ts';
import { checkTimes } from '../jobs/rollout.ts';
import { ConductorError } from '../../shared/errors.ts';
import { refusePaused } from '../pauses/refuse-paused.ts';
import type { Services } from '../services.ts';
import type { Job } from '../store/store.ts';
import { jobAnswer, runAnswer } from './job-answers.ts';
import { runQuery } from './job-query.ts';

export function jobRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  runningRoutes(app, services, caller);
  readingRoutes(app, services, caller);
  reportRoute(app, services, caller);
}

function runningRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const permission = 'jobs.run';
  addRoute(app, caller, {
    method: 'POST',
    url: '/jobs',
    permission,
    body: applyRequest,
    handle: async ({ body: { detach, respectPause, ...request }, signal, reply }) => {
      checkTimes(request.rollout, services.now());
      const { revision } = await services.publisher.current();
      const minions = await findMinions(services, request.target);
      if (respectPause) await refusePaused(services, minions);
      const asked = { ...request, minions, revision, retryOf: null };
      return begin(services, asked, { detach, signal, reply });
    },
  });
  addRoute(app, caller, {
    method: 'POST',
    url: '/jobs/:id/retry',
    permission,
    body: retryRequest,
    handle: async ({ parameters: { id = '' }, body: { cancelled, detach }, signal, reply }) => {
      const job = await findJob(services, id);
      const targets = await services.store.jobs.targets(job.id);
      const request = retryOf(job, targets, { cancelled, now: services.now() });
      const { revision } = await services.publisher.current();
      return begin(services, { ...request, revision }, { detach, signal, reply });
    },
  });
  cancelRoute(app, services, caller);
}

function cancelRoute(app: FastifyInstance, services: Services, caller: Caller): void {
  addRoute(app, caller, {
    method: 'POST',
    url: '/jobs/:id/cancel',
    permission: 'jobs.run',
    body: emptyRequest,
    handle: async ({ parameters: { id = '' } }) => {
      const run = await findRun(services.store, id);
      await cancelRun(services, run);
      return runAnswer(services, await findRun(services.store, idOf(run)));
    },
  });
}

/** Throws USAGE if there is nothing left of it to end. */
async function cancelRun({ store, jobs }: Services, run: Run): Promise<void> {
  const targets = run.kind === 'job' ? await store.jobs.targets(run.job.id) : [];
  if (run.kind === 'job' && !targets.every(({ state }) => hasEnded(state)))
    return jobs.cancel(run.job);
  throw new ConductorError('USAGE', `Cannot cancel "${idOf(run)}": it has ended`);
}

interface Beginning {
  readonly detach: boolean;
  readonly signal: AbortSignal;
  readonly reply: FastifyReply;
}

async function begin(
  services: Services,
  request: JobRequest,
  { detach, signal, reply }: Beginning,
): Promise<unknown> {
  const { jobs, publisher, log } = services;
  needStateFiles(await publisher.tree(request.revision), request.stateFiles);
  refuseIfGone(signal);
  const job = await jobs.create(request);
  log.info({ job: job.id, target: job.target, minions: request.minions.length }, 'Job made');
  // Listening begins before anything can happen.
  const events = detach ? null : jobs.follow(job, signal);
  await jobs.deliver(job);
  return events === null ? jobAnswer(services, job) : stream(reply, events);
}

/** Who has left before there was a job does not know of it. */
function refuseIfGone(signal: AbortSignal): void {
  if (signal.aborted) throw new ConductorError('CANCELLED', 'Nobody waits for the job any more');
}

async function findJob({ store }: Services, id: string): Promise<Job> {
  const run = await findRun(store, id);
  if (run.kind === 'job') return run.job;
  const message = `Cannot retry "${id}": nobody asked for it, "${run.own.minion}" did it by itself`;
  throw new ConductorError('USAGE', message);
}

function readingRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const permission = 'jobs.read';
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs',
    permission,
    query: listJobsQuery,
    handle: async ({ query }) => {
      const { runs, next } = await listRuns(services.store, await runQuery(services, query));
      return { jobs: await answersOf(services, runs), next };
    },
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs/:id',
    permission,
    handle: async ({ parameters: { id = '' } }) =>
      runAnswer(services, await findRun(services.store, id)),
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs/:id/events',
    permission,
    handle: async ({ parameters: { id = '' }, signal, reply }) =>
      stream(reply, follow(services, await findRun(services.store, id), signal)),
  });
}

/** One after the other: a job has thousands of targets, and minions are not to wait until all are read. */
async function answersOf(services: Services, runs: readonly Run[]): Promise<JobAnswer[]> {
  const answers: JobAnswer[] = [];
  for (const run of runs) {
    answers.push(await runAnswer(services, run));
    await turn();
  }
  return answers;
}

function reportRoute(app: FastifyInstance, services: Services, caller: Caller): void {
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs/:id/reports/:minion',
    permission: 'jobs.read',
    handle: async ({ parameters: { id = '', minion = '' } }) => ({
      report: await services.store.reports.get(id, minion),
    }),
  });
}

function follow({ jobs, store }: Services, run: Run, signal: AbortSignal): AsyncIterable<JobEvent> {
  return run.kind === 'job' ? jobs.follow(run.job, signal) : retell(store, run.own);
}

/** One event a line, as they happen. */
function stream(reply: FastifyReply, events: AsyncIterable<JobEvent>): FastifyReply {
  return reply.type('application/x-ndjson').send(Readable.from(lines(events)));
}

async function* lines(events: AsyncIterable<JobEvent>): AsyncIterable<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}
