import type { RunEvent } from '../../protocol/report.ts';

/** Somebody who is told how much of what a run needs has come. */
export type OnFetched = (fetched: number, of: number) => void;

/** Tells now and then how far a preparation is, if it takes long. */
export interface Preparing {
  readonly onFetched: OnFetched;
  end(): void;
}

const EVERY_MS = 5_000;

export function tellPreparing(tell: (event: RunEvent) => void, everyMs = EVERY_MS): Preparing {
  let files: { readonly fetched: number; readonly of: number } | undefined;
  const timer = setInterval(() => tell({ event: 'preparing', files }), everyMs);
  return {
    onFetched: (fetched, of) => {
      files = { fetched, of };
    },
    end: () => clearInterval(timer),
  };
}
