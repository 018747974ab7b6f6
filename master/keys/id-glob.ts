/** Whether an id fits a glob of `*` and `?`; all else stands for itself. */
export function matchesGlob(glob: string, id: string): boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/gu, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 'u').test(id);
}
