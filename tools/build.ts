/** `npm run build`: bundles both programs and the run's child into `dist/`, from which the package is made. */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';

const ENTRIES = {
  master: 'master/main.ts',
  minion: 'minion/main.ts',
  run: 'minion/run/main.ts',
};

/** CommonJS packages inside the bundles ask for Node's own modules by `require`. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * What is imported lazily becomes a file of its own beside the programs, so that the resident agent
 * loads little. The database driver is native code: it is shipped as a package.
 */
const options = {
  entryPoints: ENTRIES,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  banner: { js: REQUIRE },
  chunkNames: 'part-[hash]',
  external: ['@photostructure/sqlite'],
  legalComments: 'none',
  logLevel: 'warning',
  keepNames: true,
} satisfies BuildOptions;

/**
 * The resident agent is bundled by itself: sharing files with the other programs it would load what
 * only they use of a library, and stay twice as large.
 */
const agent = {
  ...options,
  entryPoints: { agent: 'minion/agent/start.ts' },
  splitting: false,
} satisfies BuildOptions;

const agentApart: Plugin = {
  name: 'agent-apart',
  setup(build) {
    build.onResolve({ filter: /\/agent\/start\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './agent.js', external: true } : null,
    );
  },
};

await rm('dist', { recursive: true, force: true });
await build({ ...options, plugins: [agentApart] });
await build(agent);
