/** `npm run build`: bundles the programs and the run's child into `dist/`, from which the package is made. */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';

/** CommonJS packages inside the bundles ask for Node's own modules by `require`. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * The resident agent is a bundle of its own: what it shares with a program's command line would come with everything
 * that the command line needs of it, and stay in memory all day.
 */
const agentApart: Plugin = {
  name: 'agent-apart',
  setup(bundler) {
    bundler.onResolve({ filter: /\/agent\/start\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './agent.js', external: true } : null,
    );
  },
};

/**
 * What is imported lazily becomes a file of its own beside the programs. The database driver is native code: it is
 * shipped as a package.
 */
const options = {
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
  minifyWhitespace: true,
  minifySyntax: true,
} satisfies BuildOptions;

const entryPoints = {
  master: 'master/main.ts',
  minion: 'minion/main.ts',
  run: 'minion/run/main.ts',
  types: 'minion/custom-types/main.ts',
};

await rm('dist', { recursive: true, force: true });
await build({ ...options, entryPoints, plugins: [agentApart] });
await build({ ...options, entryPoints: { agent: 'minion/agent/start.ts' } });
