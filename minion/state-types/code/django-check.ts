import { z } from 'zod';
import { defineState } from '../../engine/state-type.ts';
import { failed } from '../lib/ask.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { needsOf, projectFields, queryDjango, word } from './lib/django.ts';

type Checked = { problems: readonly string[] };

const schema = z
  .strictObject({
    ...projectFields,
    deploy: z
      .boolean()
      .default(false)
      .describe('Also look for settings that are unsafe on a server that others can reach'),
    fail_level: z
      .enum(['CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG'])
      .default('ERROR')
      .describe(
        'What is bad enough to be a failure: `CRITICAL`, `ERROR`, `WARNING`, `INFO`, `DEBUG`',
      ),
    tags: z.array(word).default([]).describe('Only checks of these kinds, such as `security`'),
    database: z
      .array(word)
      .default([])
      .describe('Databases that are asked as well, by their names in the settings'),
  })
  .describe(
    'The checks that Django and the apps of a project have for it find nothing wrong. It changes nothing: a project with ' +
      'problems is a failure that names them, so that what requires it does not go on.',
  );
type Args = z.infer<typeof schema>;

export const djangoCheck = defineState<Args, Checked>({
  name: 'django.check',
  schema,
  example: `openknesset is sound:
  django.check:
    name: /srv/projects/openknesset/code
    virtualenv: /srv/environments/openknesset
    user: openknesset
    deploy: true
`,
  needs: needsOf,
  async read(args, host) {
    const words = ['check', ...flagsOf(args)];
    const output = await queryDjango(host, args, words);
    if (output.exitCode === 0) return { problems: [] };
    const problems = parseProblems(output.stderr);
    if (problems.length === 0) throw failed(`check "${args.name}"`, ['manage.py'], output);
    return { problems };
  },
  want: () => ({ problems: [] }),
  async refuses(change, { name }) {
    const problems = change.action === 'update' ? change.from.problems : [];
    throw new ConductorError(
      'CHECK_FAILED',
      `Cannot vouch for "${name}": its checks find ${problems.slice(0, 3).join('; ')}`,
      { problems },
    );
  },
  // What is wrong has been told by then: there is never a change to carry out.
  apply: async () => undefined,
});

/** `?: (security.W004) You have not set …` below a heading in capitals. */
export function parseProblems(text: string): string[] {
  return [...text.matchAll(/^(\S.*: \([\w.]+\) .+)$/gmu)].map(([, problem = '']) => problem.trim());
}

function flagsOf({ deploy, fail_level: level, tags, database }: Args): string[] {
  return [
    ...(deploy ? ['--deploy'] : []),
    `--fail-level=${level}`,
    ...tags.map((tag) => `--tag=${tag}`),
    ...database.map((name) => `--database=${name}`),
  ];
}
