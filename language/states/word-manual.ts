import { guardSchema } from './words.ts';

const REACTS = 'and reacts (restarts, reloads, runs) if one of them has changed';

/** What the words mean that every state takes, whatever its type: the manual, and what editors show. */
export const WORD_MANUAL: ReadonlyMap<string, string> = new Map([
  ['name', 'What the state is about; the ID if absent'],
  ['names', 'Several names: the state once for each; arguments below a name are its own'],
  ['each', 'A list or mapping: the state, ID or file is there once for each item'],
  ['as', 'What `each` binds: [item] of a list, [key, value] of a mapping'],
  ['when', 'The state, ID or file is there only if this is true'],
  ['require', 'Only after these states, and only if none of them has failed'],
  ['require_any', 'Only after these states, and only if one of them has not failed'],
  ['watch', `As \`require\`, ${REACTS}`],
  ['watch_any', `As \`require_any\`, ${REACTS}`],
  ['onchanges', 'Only if one of these states has changed'],
  ['onchanges_any', 'Only if one of these states has changed; some of them may have failed'],
  ['onfail', 'Only if one of these states has failed'],
  ['onfail_any', 'Only if one of these states has failed'],
  ['onfail_all', 'Only if all of these states have failed'],
  ['prereq', 'Before these states, and only if one of them is about to change'],
  ['listen', 'Reacts at the end of the run if one of these states has changed; orders nothing'],
  [
    'use',
    'Takes the arguments of these states that it has not itself; no names, requisites, guards',
  ],
  ...[
    'require',
    'require_any',
    'watch',
    'watch_any',
    'onchanges',
    'onchanges_any',
    'onfail',
    'onfail_any',
    'onfail_all',
    'prereq',
    'listen',
    'use',
  ].map(
    (word) => [`${word}_in`, `As if each of these states had \`${word}\` with this one`] as const,
  ),
  ...Object.entries(guardSchema.shape).map(
    ([word, { description = '' }]) => [word, description] as const,
  ),
]);
