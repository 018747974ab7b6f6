import type { Command } from 'commander';
import { z } from 'zod';
import { ConductorError } from '../../shared/errors.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { readSealingKey } from '../cli/sealing-key.ts';
import { DATABASES, eknightSchema, pillarText, type Eknight } from '../eknight/eknight-pillar.ts';

const optionsSchema = z.object({
  repo: z.string().optional(),
  ref: z.string().optional(),
  domain: z.string().optional(),
  database: z.string().optional(),
  project: z.string().optional(),
  tree: z.string().optional(),
  key: z.string().optional(),
});

const EXAMPLE = `
Example:
  $ master new eknight openknesset --repo https://github.com/hasadna/openknesset.git \\
      --ref v2.1 --domain oknesset.org --database postgres`;

export function addNew(program: Command, context: Context): void {
  const command = program
    .command('new')
    .description('start something new in the tree')
    .command('eknight')
    .description('write the pillar file of a new eKnight; asks for what is missing on a terminal')
    .argument('<name>', 'its name: also its account, its database and its project')
    .option('--repo <url>', 'where its code is')
    .option('--ref <ref>', 'a branch, tag or commit (default: main)')
    .option('--domain <name>', 'where it is to be seen')
    .option('--database <kind>', `${DATABASES.join(', ')} (default: postgres)`)
    .option('--project <module>', 'its Django project (default: its name)')
    .option('--tree <dir>', 'tree directory (default: from the configuration)')
    .option('--key <key>', "the master's public sealing key (default: of the master here)")
    .addHelpText('after', EXAMPLE);
  withCommon(command).action(async (name: string, options: unknown) => {
    const { tree, key, ...given } = optionsSchema.parse(options);
    const { config, json } = await readCommon(context, options, { tree });
    const eknight = await complete(context, { name, ...given });
    const text = pillarText(eknight, await readSealingKey(key, config));
    const { addToTree } = await import('../eknight/add-to-tree.ts');
    const { path, isAssigned } = await addToTree(config.tree, eknight.name, text);
    const { terminal } = context;
    if (json) terminal.out(JSON.stringify({ name, path, isAssigned }));
    else terminal.out(`wrote ${path}`);
    if (isAssigned) return;
    terminal.err('No minion of the group "appserver" sees it yet. Put this into pillars/top.yaml:');
    terminal.err('  appserver: ["eknights.*"]');
  });
}

type Given = { readonly name: string } & Partial<
  Record<'repo' | 'ref' | 'domain' | 'database' | 'project', string | undefined>
>;

/** What was not given is asked for, if there is somebody to ask. */
async function complete({ terminal }: Context, given: Given): Promise<Eknight> {
  const missing = (['repo', 'domain'] as const).filter((key) => given[key] === undefined);
  if (missing.length > 0 && !terminal.canAsk) {
    const flags = missing.map((key) => `--${key}`).join(' and ');
    const message = `Cannot make the eKnight "${given.name}": ${flags} must be given`;
    throw new ConductorError('USAGE', message);
  }
  const asked = terminal.canAsk && missing.length > 0;
  const answer = async (question: string, known: string | undefined, byDefault: string) => {
    if (known !== undefined || !asked) return known ?? byDefault;
    return (await terminal.ask(question)) || byDefault;
  };
  const result = eknightSchema.safeParse({
    name: given.name,
    repo: await answer('Where is its code (a git URL)?', given.repo, ''),
    ref: await answer('Which branch, tag or commit? [main]', given.ref, 'main'),
    domain: await answer('Under which domain is it to be seen?', given.domain, ''),
    database: await answer(
      'Which database (postgres, mysql, none)? [postgres]',
      given.database,
      'postgres',
    ),
    project: given.project ?? given.name.replaceAll('-', '_'),
  });
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const message = `Cannot make the eKnight "${given.name}": ${problems.join('; ')}`;
  throw new ConductorError('USAGE', message);
}
