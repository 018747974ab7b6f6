import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { JobEvent } from '../../protocol/messages.ts';
import { applyRequest, emptyRequest, listJobsQuery } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { Caller } from '../gate.ts';
import { findMinions } from '../jobs/find-minions.ts';
import { findRun, listRuns, type Run } from '../jobs/find-run.ts';
import { checkTimes } from '../jobs/rollout.ts';
import { retell } from '../jobs/retell.ts';
import { refusePaused } from '../pauses/refuse-paused.ts';
import type { Services } from '../services.ts';
import { jobAnswer, runAnswer } from './job-answers.ts';

export function jobRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const { jobs, publisher } = services;
  addRoute(app, caller, {
    method: 'POST',
    url: '/jobs',
    permission: 'jobs.run',
    body: applyRequest,
    handle: async ({ body: { detach, respectPause, ...request }, signal, reply }) => {
      checkTimes(request.rollout, services.now());
      const { revision } = await publisher.current();
      const minions = await findMinions(services, request.target);
      if (respectPause) await refusePaused(services, minions);
      const job = await jobs.create({ ...request, minions, revision });
      services.log.info({ job: job.id, target: job.target, minions: minions.length }, 'Job made');
      // Listening begins before anything can happen.
      const events = detach ? null : jobs.follow(job, signal);
      await jobs.deliver(job);
      return events === null ? jobAnswer(services, job) : stream(reply, events);
    },
  });
  addRoute(app, caller, {
    method: 'POST',
    url: '/jobs/:id/cancel',
    permission: 'jobs.run',
    body: emptyRequest,
    handle: async ({ parameters: { id = '' } }) => {
      const run = await findRun(services.store, id);
      if (run.kind === 'job') await jobs.cancel(run.job);
      return runAnswer(services, run);
    },
  });
  readingRoutes(app, services, caller);
  reportRoute(app, services, caller);
}

function readingRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const permission = 'jobs.read';
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs',
    permission,
    query: listJobsQuery,
    handle: async ({ query: { limit, kind } }) => {
      const found = await listRuns(services.store, { limit, kind });
      return { jobs: await Promise.all(found.map((run) => runAnswer(services, run))) };
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
