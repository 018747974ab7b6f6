import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { accountName } from '../lib/fields.ts';
import { ONE_SOURCE, hasOneSource, textFrom, textSource } from '../lib/text-source.ts';
import { settled } from '../lib/settled.ts';
import {
  crontabOf,
  needCrontab,
  needCrontabNow,
  readCrontab,
  refuseLines,
  writeCrontab,
} from './lib/crontab.ts';

/** A user's whole crontab. */
export type Crontab = { content: string };

const schema = z
  .strictObject({
    name: z.string().min(1).describe('Any name; the text comes from `source` or `contents`'),
    user: accountName.default('root').describe('Whose crontab it is'),
    ...textSource,
  })
  .refine(hasOneSource, ONE_SOURCE)
  .describe(
    "A user's crontab as a whole: what stands in it otherwise goes. Together with `cron.present` for the same user it " +
      'never comes to rest, so one of them is enough. A text that cron cannot read is refused and the old crontab stays.',
  );

type Args = z.infer<typeof schema>;

async function read({ user }: Args, host: HostView): Promise<Crontab | null> {
  const lines = (await readCrontab(user, host)) ?? [];
  if (lines.length === 0) return null;
  const text = lines.map((line) => `${line}\n`).join('');
  return { content: Buffer.from(text, 'latin1').toString('utf8') };
}

async function apply(_change: Change<Crontab>, args: Args, host: Host): Promise<void> {
  await needCrontabNow(args.user, host);
  await writeCrontab(args.user, linesOf(args), host);
}

function linesOf(args: Args): readonly string[] {
  const text = Buffer.from(textFrom(args), 'utf8').toString('latin1');
  return text.replace(/\n$/u, '').split('\n');
}

export const cronFile = defineState({
  name: 'cron.file',
  schema,
  example: `crontab of www-data:
  cron.file:
    user: www-data
    contents: |
      MAILTO=ops@example.org
      5 4 * * * /srv/shop/nightly
`,
  writes: ({ user }: Args) => [crontabOf(user)],
  treeFiles: ['source'],
  textAttribute: 'content',
  settles: (args: Args) => settled(`crontab:${args.user}`, { content: textFrom(args) }),
  needs: ({ user }: Args) => [`user:${user}`, 'package:cron'],
  read,
  async want(args: Args, host): Promise<Partial<Crontab>> {
    await needCrontab(args.user, host);
    return { content: textFrom(args) };
  },
  refuses: async (_change: Change<Crontab>, args: Args, host) =>
    refuseLines(args.user, linesOf(args), host),
  apply,
});
