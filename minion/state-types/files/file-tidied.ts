import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { bounded } from '../lib/bounded.ts';
import { followLinks } from '../lib/ownership.ts';
import { refuseMounts, refuseFixed } from '../lib/places.ts';
import { pathAndParents } from '../lib/resources.ts';
import { compilePattern } from './lib/pattern.ts';
import { tidyBelow } from './lib/tidy.ts';
import { listBelow } from './lib/short-list.ts';
import { tidySchema } from './file-tidied-schema.ts';
import type { TidyArgs } from './file-tidied-schema.ts';

/** What lies in a directory longer than it should. */
export type Tidied = { remains: readonly string[] };

async function found(args: TidyArgs, host: HostView): Promise<{ path: string; names: string[] }> {
  const path = await followLinks(args.name, host);
  const below = await host.walk(path, args.depth === undefined ? {} : { maxDepth: args.depth });
  const where = { path, now: Date.now() };
  const names = bounded(`tidy "${args.name}"`, () => tidyBelow(below ?? [], where, criteria(args)));
  return { path, names };
}

function criteria(args: TidyArgs) {
  return { ...args, matches: beginnings(args.matches), exclude: beginnings(args.exclude) };
}

/** As in Salt, a pattern must fit the beginning of a name. */
function beginnings(sources: readonly string[]): RegExp[] {
  return sources.map((source) => compilePattern(`^(?:${source})`));
}

export const fileTidied = defineState({
  name: 'file.tidied',
  schema: tidySchema,
  example: `/var/spool/shop/exports:
  file.tidied:
    age: 30
    time_comparison: mtime
    matches: ['.*[.]csv$']
`,
  needs: ({ name }: TidyArgs) => pathAndParents(name),
  async read(args: TidyArgs, host: HostView): Promise<Tidied> {
    const { path, names } = await found(args, host);
    return { remains: listBelow({ declared: args.name, real: path }, names) };
  },
  want: (): Partial<Tidied> => ({ remains: [] }),
  async refuses(_change: Change<Tidied>, args: TidyArgs, host: HostView) {
    const { path, names } = await found(args, host);
    await refuseFixed(path, host);
    await refuseMounts(
      names.map((name) => `${path}/${name}`),
      host,
    );
  },
  async apply(_change: Change<Tidied>, args: TidyArgs, host: Host) {
    const { path, names } = await found(args, host);
    for (const name of names) await host.remove(`${path}/${name}`);
  },
});
