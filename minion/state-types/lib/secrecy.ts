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
