import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { StateSchemas } from '../language/state-schema.ts';
import { ConductorError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';
import { createLoudAlarms } from './alarms.ts';
import { type MasterConfig, splitAddress } from './config/master-config.ts';
import { type Identity, loadIdentity } from './identity.ts';
import { createJobs } from './jobs/jobs.ts';
import { startHousekeeping } from './housekeeping.ts';
import { buildPublicServer } from './public-server.ts';
import { openBlobStore } from './revisions/blob-store.ts';
import { createMinionPauses } from './pauses/minion-pauses.ts';
import { createPublisher } from './revisions/publisher.ts';
import { watchTree } from './revisions/watch-tree.ts';
import { buildServer } from './server.ts';
import type { Services } from './services.ts';
import { type AdmissionLimits, createAdmission } from './sessions/admission.ts';
import { createBackoff } from './sessions/backoff.ts';
import { createPings } from './sessions/pings.ts';
import { createPresence } from './sessions/presence.ts';
import { requireInitialized, statePaths } from './state-directory.ts';
import { lockStateDirectory } from './state-lock.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';

export interface MasterOptions {
  readonly config: MasterConfig;
  readonly states: StateSchemas;
  readonly log: Logger;
  readonly limits?: AdmissionLimits;
}

export interface RunningMaster {
  /** Of the minion channel; the one that was given if the configuration says port 0. */
  readonly port: number;
  readonly services: Services;
  /** Tells the minions that it is about to be back, and ends in order. */
  stop(): Promise<void>;
}

/** Serves until it is stopped. Throws, with nothing left behind, if it cannot. */
export async function startMaster(options: MasterOptions): Promise<RunningMaster> {
  const paths = statePaths(options.config.state_directory);
  await requireInitialized(paths);
  const undo: (() => void | Promise<void>)[] = [];
  try {
    const lock = lockStateDirectory(paths);
    undo.push(() => lock.release());
    const store = await openSqliteStore(paths.store);
    undo.push(() => store.close());
    const identity = await loadIdentity(paths, store);
    return await serve({ ...options, store, identity }, undo);
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

interface ServeParts extends MasterOptions {
  readonly store: Store;
  readonly identity: Identity;
}

type Undo = (() => void | Promise<void>)[];

async function serve(parts: ServeParts, undo: Undo): Promise<RunningMaster> {
  const { config, log } = parts;
  const { services, publicServer } = await assemble(parts);
  const { publisher, presence } = services;
  await publisher.refresh();
  await services.jobs.resume();
  const watch = watchTree(config.tree, () => publisher.refresh(), { log });
  undo.push(() => watch.stop());
  const housekeeping = startHousekeeping(services, config.history);
  undo.push(() => housekeeping.stop());

  const local = buildServer(services);
  await listenLocally(local, config.socket);
  undo.push(() => local.close());
  const port = await listenPublicly(publicServer, config.listen);
  undo.push(() => publicServer.close());
  undo.push(() => farewell(services));
  log.info({ listen: config.listen, socket: config.socket, port }, 'Master ready');
  const stop = async () => {
    log.info({ minions: presence.list().length }, 'Master stopping');
    await unwind(undo);
  };
  return { port, services, stop };
}

async function unwind(undo: Undo): Promise<void> {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
}

async function assemble({ config, states, log, store, identity, limits }: ServeParts) {
  const presence = createPresence(elapsed);
  const { alarms, alarm } = createLoudAlarms(log, now);
  const blobs = openBlobStore(statePaths(config.state_directory).blobs, (path) =>
    alarm('master', `The master has found a damaged blob and removed it: ${path}`),
  );
  const directory = config.tree;
  const publisher = await createPublisher({ directory, store, blobs, states, log, now });
  const newest = () => publisher.newest()?.revision ?? null;
  const services: Services = {
    store,
    presence,
    publisher,
    states,
    log,
    now,
    jobs: createJobs({ store, presence, log, now, elapsed, newest }),
    pings: createPings(elapsed),
    pauses: createMinionPauses({ store, presence, now }),
    backoff: createBackoff(elapsed),
    alarms,
    pillarKeys: identity.pillarKeys,
    rootFingerprint: identity.rootFingerprint,
    listen: config.listen,
    address: config.address ?? `${hostname()}:${splitAddress(config.listen).port}`,
  };
  const publicServer = buildPublicServer({
    reception: {
      ...services,
      blobs,
      side: identity.side,
      alarm,
    },
    admission: createAdmission(elapsed, limits),
    log,
    tls: config.tls,
  });
  return { services, publicServer };
}

function now(): Date {
  return new Date();
}

/** For what lasts: a wall clock that is set back would make it last for years. */
function elapsed(): number {
  return performance.now();
}

/** A socket file that nobody answers at is left over, and in the way. */
async function listenLocally(app: FastifyInstance, path: string): Promise<void> {
  try {
    if (await answers(path)) throw new Error('another program listens there');
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(path, { force: true });
    await app.listen({ path });
    chmodSync(path, 0o660);
  } catch (cause) {
    throw cannotListen(path, cause);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => resolve(true));
    probe.once('error', () => resolve(false));

    probe.once('connect', () => probe.destroy());
  });
}

/**
 * Connections that wait to be taken, of which Node takes one in each turn of its event loop. All minions of a master that
 * was away come at once; more than this would have given up by the time that it is their turn.
 */
const BACKLOG = 1024;

async function listenPublicly(app: FastifyInstance, listen: string): Promise<number> {
  const { host, port } = splitAddress(listen);
  try {
    await app.listen({ host, port, backlog: BACKLOG });
  } catch (cause) {
    throw cannotListen(listen, cause);
  }
  const bound = app.server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}

function cannotListen(where: string, cause: unknown): ConductorError {
  const message = `Cannot listen on "${where}": ${messageOf(cause)}`;
  return new ConductorError('CONFIG_INVALID', message, { cause });
}

const FAREWELL_MS = 2000;

/** Every minion is told, and given a moment to have heard it. */
async function farewell({ presence }: Services): Promise<void> {
  presence.endAll();
  const begun = elapsed();
  while (presence.list().length > 0 && elapsed() - begun < FAREWELL_MS)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Tells systemd that the service is ready, if it asked to be told. */
export async function notifyReady(log: Logger): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  const child = spawn('systemd-notify', ['--ready', `--pid=${process.pid}`], { stdio: 'ignore' });
  await new Promise<void>((resolve) => {
    child.once('error', (error) => {
      log.warn({ problem: messageOf(error) }, 'Systemd not notified');
      resolve();
    });
    child.once('exit', () => resolve());
  });
}
