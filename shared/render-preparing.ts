/** How much of what a run needs has come, once that is known. */
export interface ShownPreparing {
  readonly files?: { readonly fetched: number; readonly of: number } | undefined;
}

/** What a minion does before its run can begin. */
export function renderPreparing({ files }: ShownPreparing): string {
  if (files === undefined) return 'preparing: it asks the master for its part of the tree';
  return `preparing: ${files.fetched} of ${files.of} files of its tree have come`;
}
