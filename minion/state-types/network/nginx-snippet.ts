import { z } from 'zod';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { parentsOf } from '../lib/resources.ts';
import { replaceConfiguration } from '../lib/staged.ts';
import { ONE_SOURCE, hasOneSource, textFrom, textSource } from '../lib/text-source.ts';
import { fileSettled } from '../lib/settled.ts';
import {
  NGINX,
  PENDING,
  refuseMistakes,
  reloadNginx,
  snippetChange,
  snippetMark,
  snippetReplacement,
} from './lib/nginx.ts';
import { reload } from './lib/nginx-reload.ts';

type Snippet = {
  content: string;
  /** Nginx has been told to take what stands there. */
  loaded: boolean;
};
type Named = { name: string; directory: string; reload: boolean };

const nameFields = {
  name: z
    .string()
    .regex(/^(?!\.)[\w.@+-]{1,100}$/u, { error: 'expected the name of a file, such as tls.conf' })
    .describe('Name of the file'),
  directory: z
    .enum(['snippets', 'conf.d'])
    .default('snippets')
    .describe(
      'Where it belongs: snippets are included by sites, what ends in .conf in conf.d by all',
    ),
  reload,
};

const schema = z
  .strictObject({
    ...nameFields,
    ...textSource,
  })
  .refine(hasOneSource, ONE_SOURCE)
  .describe(
    'A part of the configuration of nginx that sites include. The whole configuration is checked with it before anything ' +
      'is replaced; then nginx is reloaded, and if it does not take the new configuration the old one is put back.',
  );
type Args = z.infer<typeof schema>;

export const nginxSnippet = defineState<Args, Snippet>({
  name: 'nginx.snippet',
  schema,
  example: `modern TLS only:
  nginx.snippet:
    name: tls.conf
    contents: |
      ssl_protocols TLSv1.3;
`,
  publishes:
    'everybody can read it: put the secret into a file of file.managed, which gets the mode 0600, and `include` that',
  treeFiles: ['source'],
  textAttribute: 'content',
  provides: (args) => [`path:${pathOf(args)}`],
  settles: (args) => fileSettled(pathOf(args), textFrom(args)),
  needs,
  read,
  want: (args) => ({ content: textFrom(args), ...(args.reload ? { loaded: true } : {}) }),
  refuses: (_change, args, host) => refuseMistakes(host, snippetChange(snippetOf(args))),
  async apply(_change, args, host) {
    await replaceConfiguration(host, snippetReplacement(host, snippetOf(args)));
  },
  react,
});

export const nginxSnippetAbsent = defineState<Named, Snippet>({
  name: 'nginx.snippet_absent',
  schema: z
    .strictObject(nameFields)
    .describe(
      'No snippet of that name. The configuration that is left is checked first: one that a site still includes stays.',
    ),
  example: `no old ciphers:
  nginx.snippet_absent:
    name: ciphers.conf
`,
  textAttribute: 'content',
  takes: (args) => [`path:${pathOf(args)}`],
  needs,
  async read(args, host) {
    const isPending = (await host.recall(snippetMark(pathOf(args)))) === PENDING;
    return (await read(args, host)) ?? (isPending ? { content: '', loaded: false } : null);
  },
  want: () => null,
  refuses: (_change, args, host) => refuseMistakes(host, snippetChange(noSnippet(args))),
  async apply(_change, args, host) {
    await replaceConfiguration(host, snippetReplacement(host, noSnippet(args)));
  },
  react,
});

function pathOf({ name, directory }: Named): string {
  return `${NGINX}/${directory}/${name}`;
}

function needs(args: Named): string[] {
  return ['nginx', 'package:nginx', `path:${NGINX}/nginx.conf`, ...parentsOf(pathOf(args))];
}

async function read(args: Named, host: HostView): Promise<Snippet | null> {
  const path = pathOf(args);
  const bytes = await host.readFile(path);
  if (bytes === null) return null;
  const loaded = (await host.recall(snippetMark(path))) !== PENDING;
  return { content: Buffer.from(bytes).toString(), loaded };
}

function snippetOf(args: Args) {
  return { path: pathOf(args), content: textFrom(args), reload: args.reload };
}

function noSnippet(args: Named) {
  return { path: pathOf(args), content: null, reload: args.reload };
}

async function react(args: Named, host: Host): Promise<string> {
  await reloadNginx(host);
  return `reloaded nginx for ${pathOf(args)}`;
}
