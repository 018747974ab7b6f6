import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Argv, Host, HostView } from '../../host/host.ts';
import { downloadFirst, wantedContent } from '../files/lib/file-source.ts';
import { withoutUser } from '../lib/download.ts';
import { EXPOSED, absolutePath, refusedArgument } from '../lib/fields.ts';
import { needProgram } from '../lib/programs.ts';
import { said } from '../lib/said.ts';
import { surroundings, verdict } from './cmd-schema.ts';
import { needsOf } from './cmd.ts';
import type { Ran } from './cmd.ts';
import { execute, needPlace, programOf, shown } from './lib/execute.ts';
import { wordsOf } from './lib/words.ts';
import { hasChanged, uncertaintyOf, wouldChange } from './lib/verdict.ts';

/** A file of the tree reaches the type as the file, a path of the host or a URL as text. */
const source = z.union(
  [z.custom<TreeFile>(isTreeFile), z.string().regex(/^(?:\/|https?:\/\/)\S*$/u)],
  {
    error: 'expected a file below templates/, a path on the host from the root, or an http(s) URL',
  },
);

const schema = z
  .strictObject({
    name: z.string().min(1).describe('A title'),
    source: source.describe(
      'The script: a file below templates/ (rendered if it ends in .hbs), a path on the host, or an http(s) URL',
    ),
    source_hash: z
      .union([z.custom<TreeFile>(isTreeFile), z.string().min(1)])
      .exactOptional()
      .describe(
        'The digest of a script from the web, such as sha256=…, or where a file with it is',
      ),
    source_hash_name: z
      .string()
      .min(1)
      .exactOptional()
      .describe('The name under which it stands in such a file'),
    skip_verify: z
      .boolean()
      .default(false)
      .describe('`true` allows a script from the web without a digest'),
    context: z.record(z.string(), z.unknown()).exactOptional().describe('Names for the template'),
    defaults: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .describe('Names for the template, where context says nothing'),
    template: z
      .enum(['handlebars'])
      .exactOptional()
      .describe('What renders it; a source that ends in .hbs is rendered anyway'),
    args: z
      .union([
        z.string().transform(wordsOf),
        z.array(z.union([z.string(), z.number()]).transform(String)),
      ])
      .default([])
      .describe('Its arguments, as a list or as a line in which quotes hold words together')
      .meta(EXPOSED),
    shell: absolutePath
      .exactOptional()
      .describe('What reads it, if its first line does not say that; /bin/sh if absent'),
    ...surroundings,
    ...verdict,
    password: refusedArgument('it is only of use on Windows'),
  })
  .refine(
    ({ source, source_hash: hash, skip_verify: skip }) =>
      typeof source !== 'string' || source.startsWith('/') || hash !== undefined || skip,
    {
      error:
        'needs "source_hash": a script from the web is run only if it is the one that you mean (skip_verify: true runs any)',
    },
  )
  .describe(
    'Runs a script of the tree, of the host or from the web, with the interpreter that its first line names. It has no ' +
      'wanted state of its own, so it needs a guard as cmd.run does. While it runs it stands in a directory that only ' +
      'its user can enter.',
  );

type Args = z.infer<typeof schema>;

/** The bytes to run; nothing is run that is not the script that was meant. */
async function contentOf(args: Args, host: HostView): Promise<Uint8Array> {
  const { name, source: from, skip_verify, source_hash, source_hash_name } = args;
  const asked = {
    name,
    source: from,
    skip_verify,
    contents_newline: false,
    ...said({ source_hash, source_hash_name }),
  };
  const wanted = await wantedContent(asked, host);
  if (wanted.from === 'web') return downloadFirst(wanted.urls, wanted.digest, host);
  if (wanted.from === 'here') return wanted.bytes;
  throw new ConductorError('SOURCE_MISSING', `Cannot run "${name}": it has no source`, {
    lacks: [],
  });
}

const FIRST_LINE = /^#!\s*(?<program>\/\S+)(?:[ \t]+(?<argument>\S.*?))?[ \t]*\r?\n/u;

/** As the kernel reads a first line: a program, and all that follows as one argument. */
export function interpreterOf(script: string, shell: string): Argv {
  const { program = shell, argument } = FIRST_LINE.exec(script)?.groups ?? {};
  return argument === undefined ? [program] : [program, argument];
}

function interpreterFor({ shell = '/bin/sh' }: Args, content: Uint8Array): Argv {
  return interpreterOf(Buffer.from(content).toString('latin1'), shell);
}

function isFromWeb({ source: from }: Args): boolean {
  return !isTreeFile(from) && !from.startsWith('/');
}

function titleOf({ source: from }: Args): string {
  return isTreeFile(from) ? from.path : withoutUser(from);
}

async function runScript(args: Args, host: Host): Promise<string> {
  const content = await contentOf(args, host);
  const ownership = { user: args.runas ?? 'root', mode: '0700' };
  const directory = `/run/conductor-script-${randomUUID()}`;
  const path = `${directory}/script`;
  const interpreter = interpreterFor(args, content);
  try {
    await host.makeDirectory(directory, ownership);
    await host.writeFile(path, content, { ...ownership, mode: '0500' });
    return await execute(
      programOf([...interpreter, path, ...args.args], `"${titleOf(args)}"`, args),
      host,
    );
  } finally {
    await host.remove(directory);
  }
}

export const cmdScript = defineState({
  name: 'cmd.script',
  schema,
  example: `import the catalogue:
  cmd.script:
    source: shop/import.sh.hbs
    args: [--all]
    runas: shop
    context: {catalogue: spring}
    creates: /srv/shop/catalogue.json
`,
  treeFiles: ['source', 'source_hash'],
  needsGuard: true,
  oneShot: true,
  needs: needsOf,
  uncertain: (args: Args) => uncertaintyOf(args),
  async read(args: Args, host: HostView): Promise<Ran | null> {
    await needPlace(args, host);
    return { ran: (await wouldChange(args, host)) === false };
  },
  async want(args: Args, host: HostView): Promise<Partial<Ran>> {
    // A script that is not to be had is told before anything of it is done.
    await contentOf(args, host);
    return { ran: true };
  },
  async refuses(_change: Change<Ran>, args: Args, host: HostView) {
    // What has to be downloaded first is looked at then.
    if (!isFromWeb(args))
      await needProgram(interpreterFor(args, await contentOf(args, host))[0], host);
  },
  async apply(_change: Change<Ran>, args: Args, host: Host) {
    const output = await runScript(args, host);
    return args.stateful === false || hasChanged(output) ? shown(output, args) : 'unchanged';
  },
  async react(args: Args, host: Host): Promise<string> {
    await runScript(args, host);
    return 'ran';
  },
});
