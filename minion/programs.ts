import { fileURLToPath } from 'node:url';

/** Scripts that this program starts as processes of their own. */
export interface Programs {
  /** This one. */
  readonly minion: string;
  /** The child that does one run. */
  readonly run: string;
}

/** Finds them beside the main script: as sources are laid out, or bundled into one folder. */
export function programsBeside(mainUrl: string): Programs {
  const run = mainUrl.endsWith('/minion/main.js') ? './run/main.js' : './run.js';
  return { minion: fileURLToPath(mainUrl), run: fileURLToPath(new URL(run, mainUrl)) };
}
