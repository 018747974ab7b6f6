import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { JobEvent } from '../../protocol/messages.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { JobAnswer } from '../api/answers.ts';
import { applyRequest, emptyRequest, listJobsQuery } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { Caller } from '../gate.ts';
import { findMinions } from '../jobs/find-minions.ts';
import type { Services } from '../services.ts';
import type { Job } from '../store/store.ts';

export function jobRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const { jobs, publisher } = services;
  addRoute(app, caller, {
    method: 'POST',
    url: '/jobs',
    permission: 'jobs.run',
    body: applyRequest,
    handle: async ({ body: { detach, ...request }, signal, reply }) => {
      const { revision } = await publisher.current();
      const minions = await findMinions(services, request.target);
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
      const job = await findJob(services, id);
      await jobs.cancel(job);
      return jobAnswer(services, job);
    },
  });
  readingRoutes(app, services, caller);
}

function readingRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const permission = 'jobs.read';
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs',
    permission,
    query: listJobsQuery,
    handle: async ({ query: { limit } }) => {
      const found = await services.store.jobs.list(limit);
      return { jobs: await Promise.all(found.map((job) => jobAnswer(services, job))) };
    },
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs/:id',
    permission,
    handle: async ({ parameters: { id = '' } }) => jobAnswer(services, await findJob(services, id)),
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/jobs/:id/events',
    permission,
    handle: async ({ parameters: { id = '' }, signal, reply }) =>
      stream(reply, services.jobs.follow(await findJob(services, id), signal)),
  });
}

/** By its id or the beginning of it. */
async function findJob({ store }: Services, id: string): Promise<Job> {
  const exact = await store.jobs.get(id);
  if (exact !== null) return exact;
  const recent = await store.jobs.list(1000);
  const [job, another] = id.length < 4 ? [] : recent.filter((known) => known.id.startsWith(id));
  if (job !== undefined && another === undefined) return job;
  const why = job === undefined ? 'no job has that id' : 'more than one job begins so';
  throw new ConductorError('JOB_UNKNOWN', `Cannot find the job "${id}": ${why}`);
}

async function jobAnswer({ store, presence, jobs }: Services, job: Job): Promise<JobAnswer> {
  const { id, createdAt, target, params, dryRun, timeoutSeconds, revision } = job;
  const targets = await store.jobs.targets(id);
  return {
    id,
    createdAt,
    target,
    stateFiles: [...job.stateFiles],
    params: { ...params },
    dryRun,
    timeoutSeconds,
    revision,
    targets: targets.map(({ minion, state, updatedAt, counts, error }) => {
      const online = presence.get(minion) !== null;
      const progress = jobs.progressOf(id, minion);
      return { minion, state, online, updatedAt, counts, error, progress };
    }),
  };
}

/** One event a line, as they happen. */
function stream(reply: FastifyReply, events: AsyncIterable<JobEvent>): FastifyReply {
  return reply.type('application/x-ndjson').send(Readable.from(lines(events)));
}

async function* lines(events: AsyncIterable<JobEvent>): AsyncIterable<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}
