import { ConductorError } from '../../../shared/errors.ts';
import type { FileStatus } from '../../host/host.ts';

/** Of a file that holds a secret, if the tree does not say otherwise. */
export const SECRET_MODE = '0600';

/** Arguments of a file that holds a secret: it is its owner's alone, and directories above it are as ever. */
export function closed<Args extends object>(args: Args): Args & { readonly holdsSecret: true } {
  return { mode: SECRET_MODE, dir_mode: '0755', ...args, holdsSecret: true };
}

/** A mode by which the same may read, but for those who are neither its owner nor in its group. */
export function closedMode(mode: string): string {
  return `${mode.slice(0, -1)}0`;
}

/** Whether those may read who are neither its owner nor in its group. */
export function isOpen(mode: string): boolean {
  return /[4-7]$/u.test(mode);
}

/** Refuses to put a secret into a file of others that everybody can read: what mode it needs is not known here. */
export function refuseOpen(name: string, status: FileStatus | null): void {
  if (status === null || !isOpen(status.mode)) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot edit "${name}": a secret goes into it, and everybody can read it (${status.mode}); close it first, as file.managed with a mode such as 0640 does`,
    { lacks: [`path:${name}`] },
  );
}
