import { ConductorError } from '../shared/errors.ts';

/** Everything that a caller may be allowed to do; each route and message names one. */
export const PERMISSIONS = [
  'minion.session',
  'status.read',
  'minions.pause',
  'facts.read',
  'tree.read',
  'pillar.read',
  'keys.read',
  'keys.write',
  'jobs.read',
  'jobs.run',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Who asks: known by a verified key or by the socket that the question came through. */
export interface Caller {
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
}

/** A minion may speak for itself, and nothing else. */
export function minionCaller(id: string): Caller {
  return { name: id, permissions: new Set(['minion.session']) };
}

/** Whoever may open the master's own socket (its owner and group) is its operator. */
export const OPERATOR: Caller = {
  name: 'operator',
  permissions: new Set(PERMISSIONS.filter((permission) => permission !== 'minion.session')),
};

/** The one gate. Throws PERMISSION_DENIED. */
export function demand(caller: Caller, permission: Permission): void {
  if (caller.permissions.has(permission)) return;
  const message = `Cannot let "${caller.name}" do this: it lacks the permission "${permission}"`;
  throw new ConductorError('PERMISSION_DENIED', message);
}
