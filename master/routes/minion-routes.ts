import type { FastifyInstance } from 'fastify';
import { compilePillar } from '../../language/pillar.ts';
import { secretNamesOf } from '../../language/states/secret-names.ts';
import { isList, isMapping, type Data } from '../../language/values/data.ts';
import { ConductorError } from '../../shared/errors.ts';
import { secretMark } from '../../shared/marks.ts';
import { Secret } from '../../shared/secret.ts';
import { pillarQuery, pingRequest } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import { argumentsAsJson, catalogOf, redactorOf, shortFingerprint } from '../catalog.ts';
import type { Blanking } from '../catalog.ts';
import { schemasOf } from '../custom-types.ts';
import type { Caller } from '../gate.ts';
import { findMinions } from '../jobs/find-minions.ts';
import { findKey } from '../keys/manage-keys.ts';
import type { Services } from '../services.ts';

const PING_TIMEOUT_MS = 5000;

export function minionRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  addRoute(app, caller, {
    method: 'POST',
    url: '/ping',
    permission: 'status.read',
    body: pingRequest,
    handle: async ({ body: { target } }) => {
      const ids = await findMinions(services, target);
      return { minions: await Promise.all(ids.map((id) => ping(services, id))) };
    },
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/minions/:id/facts',
    permission: 'facts.read',
    handle: async ({ parameters: { id = '' } }) => {
      await findKey(services, id);
      const known = await services.store.minions.facts(id);
      if (known !== null) return known;
      throw new ConductorError('NOT_FOUND', `Cannot show facts of "${id}": it has never sent any`);
    },
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/minions/:id/pillar',
    permission: 'pillar.read',
    query: pillarQuery,
    handle: ({ parameters: { id = '' }, query: { reveal } }) =>
      showPillar(services, id, { reveal: reveal === 'true' }),
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/minions/:id/catalog',
    permission: 'tree.read',
    handle: ({ parameters: { id = '' } }) => showCatalog(services, id),
  });
}

async function ping({ store, presence, pings }: Services, id: string) {
  const session = presence.get(id);
  const since = session?.connectedAt ?? (await store.minions.get(id))?.seenAt ?? null;
  if (session === null) return { id, state: 'offline', milliseconds: null, since };
  const { milliseconds } = await pings.ask(session, PING_TIMEOUT_MS);
  return { id, state: milliseconds === null ? 'silent' : 'answered', milliseconds, since };
}

async function showPillar(services: Services, id: string, { reveal }: { reveal: boolean }) {
  const { publisher, pillarKeys, log } = services;
  const { groups } = await findKey(services, id);
  const { revision } = await publisher.current();
  const tree = await publisher.tree(revision);
  const { value, origins } = compilePillar({
    tree,
    minion: { id, groups },
    unseal: pillarKeys.unseal,
  });
  if (reveal) log.warn({ minion: id }, 'Pillar revealed');
  const fingerprintKey = pillarKeys.fingerprintKeyOf(id);
  const show = (secret: Secret) => {
    const text = String(secret.reveal());
    return reveal ? text : secretMark(shortFingerprint(text, fingerprintKey));
  };
  return {
    pillar: shown(value, show),
    origins: [...origins].map(([path, origin]) => ({ path, ...origin })),
  };
}

function shown(data: Data, show: (secret: Secret) => string): unknown {
  if (data instanceof Secret) return show(data);
  if (isList(data)) return data.map((item) => shown(item, show));
  if (!isMapping(data)) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, shown(value, show)]));
}

async function showCatalog(services: Services, id: string) {
  const minion = await findKey(services, id);
  const { revision } = await services.publisher.current();
  const tree = await services.publisher.tree(revision);
  const catalog = await catalogOf(services, tree, minion);
  const fingerprintKey = services.pillarKeys.fingerprintKeyOf(id);
  const redact = redactorOf(catalog, fingerprintKey);
  const fingerprint = (text: string): string => shortFingerprint(text, fingerprintKey);
  const schemas = await schemasOf(tree, services.states);
  const blankingFor = (type: string): Blanking => {
    const schema = schemas.get(type);
    const secretNames = schema === undefined ? new Set<string>() : secretNamesOf(schema);
    return { redact, fingerprint, secretNames };
  };
  return {
    revision,
    declarations: catalog.declarations.map(
      ({ id: stateId, type, name, place, args, requisites }) => ({
        id: redact(stateId),
        type,
        name: redact(name),
        place,
        args: argumentsAsJson(args, blankingFor(type)),
        requisites: requisites.map(({ kind, targets, implied }) => ({
          kind,
          of: targets.map(redact),
          implied,
        })),
      }),
    ),
  };
}
