import { z } from 'zod';
import { LONGEST_RUN_SECONDS } from '../../shared/duration.ts';
import { REQUISITE_KINDS, type RequisiteKind } from '../declaration.ts';

/** Requisites as authors write them: of this state on others, and (`_in`) of others on this one. */
const REQUISITES: ReadonlySet<string> = new Set([
  ...REQUISITE_KINDS,
  ...REQUISITE_KINDS.map((kind) => `${kind}_in`),
  'use',
  'use_in',
]);

export function isRequisiteWord(word: string): boolean {
  return REQUISITES.has(word);
}

/** `watch_in` is a `watch` the other way round; `null` for what is no requisite (or `use`). */
export function requisiteOf(word: string): { kind: RequisiteKind; isReverse: boolean } | null {
  const isReverse = word.endsWith('_in');
  const name = isReverse ? word.slice(0, -3) : word;
  const kind = REQUISITE_KINDS.find((known) => known === name);
  return kind === undefined ? null : { kind, isReverse };
}

const command = z
  .string({
    error: (issue) =>
      typeof issue.input === 'object'
        ? 'must be a command line, such as "grep -q WORD FILE": of functions, only simple ones of files, packages and services are read, in .sls files'
        : undefined,
  })
  .min(1);
const commands = z.union([command, z.array(command).min(1)]).transform((one) => [one].flat());
const paths = z
  .union([z.string().startsWith('/'), z.array(z.string().startsWith('/')).min(1)])
  .transform((one) => [one].flat())
  .meta({ isPlain: true });
const seconds = z.number().nonnegative().max(LONGEST_RUN_SECONDS);

/** What every state takes besides its requisites; the descriptions are the manual. */
export const guardSchema = z.strictObject({
  unless: commands.optional().describe('Skip the state if all of these commands succeed'),
  onlyif: commands.optional().describe('Skip the state if any of these commands fails'),
  creates: paths.optional().describe('Skip the state if all of these paths exist'),
  check_cmd: commands.optional().describe('Commands that must succeed after the state'),
  retry: z
    .union([
      z.boolean(),
      z.strictObject({
        attempts: z.int().min(1).max(100).optional().describe('How often at most; 2 if absent'),
        interval: seconds.optional().describe('Seconds between two attempts; 30 if absent'),
        splay: seconds.optional().describe('Up to this many seconds more, at random'),
        until: z
          .literal(true)
          .optional()
          .describe('Always true: a state is tried again until it succeeds'),
      }),
    ])
    .optional()
    .describe('Try again if the state fails'),
  order: z
    .union([z.int(), z.enum(['first', 'last'])])
    .optional()
    .describe('Where in the run: first, last, a number, or a negative number from the end'),
  failhard: z.boolean().optional().describe('End the whole run if this state fails'),
  timeout: z
    .number()
    .positive()
    .max(LONGEST_RUN_SECONDS)
    .optional()
    .describe('Seconds that the whole state may take; a week at most'),
  runas: z
    .string()
    .min(1)
    .optional()
    .describe('The user that guards and commands run as')
    .meta({ isPlain: true }),
  aggregate: harmless('a state does all that it declares in one step already'),
  parallel: harmless('states run one after the other'),
  reload_modules: harmless('every state sees the host as it is at its turn'),
  reload_grains: harmless('facts are those of the begin of the run'),
  reload_pillar: harmless('the pillar is that of the begin of the run'),
  fire_event: z
    .boolean({
      error:
        'cannot be a tag: every outcome of a run is an event on the master already (remove it)',
    })
    .optional()
    .describe("Salt's; it changes nothing here: every outcome of a run is an event on the master")
    .meta({ doNotSuggest: true }),
  saltenv: z
    .literal('base', { error: 'cannot be: a run sees one revision of one tree (remove it)' })
    .optional()
    .describe("Salt's; it changes nothing here: a run sees one revision of one tree")
    .meta({ doNotSuggest: true }),
});

/** What Salt needs to be told and nothing here depends on. */
function harmless(why: string) {
  return z
    .boolean()
    .optional()
    .describe(`Salt's; it changes nothing here: ${why}`)
    .meta({ doNotSuggest: true });
}

export type GuardWords = z.infer<typeof guardSchema>;

export function isGuardWord(word: string): boolean {
  return Object.hasOwn(guardSchema.shape, word);
}

/** Every word that a state takes whatever its type. */
export const COMMON_WORDS: readonly string[] = [
  ...REQUISITES,
  ...Object.keys(guardSchema.shape),
  'each',
  'as',
  'when',
  'name',
  'names',
];
