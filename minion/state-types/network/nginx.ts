import { z } from 'zod';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import {
  NGINX,
  PENDING,
  fingerprint,
  linkPath,
  refuseMistakes,
  reloadNginx,
  siteMark,
  sitePath,
  siteChange,
  siteReplacement,
} from './lib/nginx.ts';
import { reload } from './lib/nginx-reload.ts';
import { parentsOf } from '../lib/resources.ts';
import { hasTaken, replaceConfiguration } from '../lib/staged.ts';
import { ONE_SOURCE, hasOneSource, textFrom, textSource } from '../lib/text-source.ts';
import { fileSettled, gone } from '../lib/settled.ts';

type Site = {
  /** `null` if only a link is left. */
  content: string | null;
  enabled: boolean;
  /** What stands there has been taken by nginx. */
  loaded: boolean;
};
type Named = { name: string; reload: boolean };

const siteName = z.string().regex(/^(?!\.)[\w.@+-]{1,100}$/u, {
  error: 'expected the name of a file, such as shop or www.example.org',
});

const nameFields = {
  name: siteName.describe('Name of the site: of its file in sites-available'),
  reload,
};

const schema = z
  .strictObject({
    ...nameFields,
    ...textSource,
    enabled: z
      .boolean()
      .default(true)
      .describe('Served; false keeps the file but does not link it'),
  })
  .refine(hasOneSource, ONE_SOURCE)
  .describe(
    'A site of nginx, as Debian lays them out: a file in sites-available and a link in sites-enabled. The whole ' +
      'configuration is checked with the new site in it before anything is replaced. Then nginx is reloaded, and if it ' +
      'does not take the new configuration the old one is put back; the report tells both.',
  );
type Args = z.infer<typeof schema>;

export const nginxSite = defineState<Args, Site>({
  name: 'nginx.site',
  schema,
  example: `openknesset site:
  nginx.site:
    name: openknesset
    contents: |
      server {
          listen 80;
          server_name openknesset.example;
          location / { proxy_pass http://127.0.0.1:8000; }
      }
`,
  publishes:
    'everybody can read it: put the secret into a file of file.managed, which gets the mode 0600, and `include` that',
  treeFiles: ['source'],
  textAttribute: 'content',
  provides: ({ name }) => [`path:${sitePath(name)}`, `path:${linkPath(name)}`],
  settles: (args) => fileSettled(sitePath(args.name), textFrom(args)),
  needs,
  read,
  want: (args) => ({
    content: textFrom(args),
    enabled: args.enabled,
    ...(args.reload ? { loaded: true } : {}),
  }),
  refuses: (_change, args, host) => refuseMistakes(host, siteChange(siteOf(args))),
  async apply(_change, args, host) {
    await replaceConfiguration(host, siteReplacement(host, siteOf(args)));
  },
  react,
});

export const nginxSiteAbsent = defineState<Named, Site>({
  name: 'nginx.site_absent',
  schema: z
    .strictObject(nameFields)
    .describe(
      'No site of that name, neither in sites-available nor in sites-enabled. The configuration that is left is checked ' +
        'first, and the site is put back if nginx does not take it.',
    ),
  example: `no default site:
  nginx.site_absent:
    name: default
`,
  textAttribute: 'content',
  takes: ({ name }) => [`path:${sitePath(name)}`, `path:${linkPath(name)}`],
  settles: ({ name }) => gone([`path:${sitePath(name)}`]),
  needs,
  async read(args, host) {
    const isPending = (await host.recall(siteMark(args.name))) === PENDING;
    const gone = isPending ? { content: null, enabled: false, loaded: false } : null;
    return (await read(args, host)) ?? gone;
  },
  want: () => null,
  refuses: (_change, args, host) => refuseMistakes(host, siteChange(noSite(args))),
  async apply(_change, args, host) {
    await replaceConfiguration(host, siteReplacement(host, noSite(args)));
  },
  react,
});

function siteOf(args: Args) {
  const { name, enabled, reload } = args;
  return { name, content: textFrom(args), enabled, reload };
}

function noSite({ name, reload }: Named) {
  return { name, content: null, enabled: false, reload };
}

function needs(): string[] {
  return [
    'nginx',
    'package:nginx',
    `path:${NGINX}/nginx.conf`,
    ...parentsOf(`${NGINX}/sites-available/x`),
  ];
}

async function read({ name }: Named, host: HostView): Promise<Site | null> {
  const bytes = await host.readFile(sitePath(name));
  const link = await host.status(linkPath(name));
  if (bytes === null && link === null) return null;
  const content = bytes === null ? null : Buffer.from(bytes).toString();
  const enabled = bytes !== null && (await isLinked(name, host));
  const loaded = await hasTaken(host, siteMark(name), fingerprint(content, enabled));
  return { content, enabled, loaded };
}

async function isLinked(name: string, host: HostView): Promise<boolean> {
  const to = await host.readLink(linkPath(name));
  return to === sitePath(name) || to === `../sites-available/${name}`;
}

async function react({ name }: Named, host: Host): Promise<string> {
  await reloadNginx(host);
  return `reloaded nginx for the site ${name}`;
}
