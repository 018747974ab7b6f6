import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import type { Surroundings, Verdict } from '../cmd-schema.ts';
import { optionsOf } from './execute.ts';

const told = z.looseObject({
  changed: z.union([z.boolean(), z.string(), z.number()]).default(false),
});

/**
 * Whether a command says of itself that it has changed anything: by JSON, or by a last line of `changed=yes` and other
 * words of that kind. One that prints nothing has changed nothing.
 */
export function hasChanged(output: string): boolean {
  const text = output.trim();
  if (text === '') return false;
  const words = text.startsWith('{') ? jsonOf(text) : wordsIn(text.split('\n').at(-1) ?? '');
  const { changed } = told.parse(words);
  return /^(?:true|yes|1|on)$/iu.test(String(changed));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable('what it printed is no JSON');
  }
}

const WORD = /(?<name>\w+)=(?:'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<plain>\S*))/gu;

function wordsIn(line: string): Readonly<Record<string, string>> {
  const found = [...line.matchAll(WORD)].map(({ groups = {} }) => {
    const { name = '', single, double, plain } = groups;
    return [name, single ?? double ?? plain ?? ''] as const;
  });
  if (found.length > 0) return Object.fromEntries(found);
  throw unreadable('the last line that it printed has no word such as changed=yes');
}

function unreadable(why: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot tell whether the stateful command has changed anything: ${why}`,
  );
}

/** What the `test_name` of a stateful command says beforehand; `null` if there is none. */
export async function wouldChange(
  { stateful, ...args }: Surroundings & Verdict,
  host: HostView,
): Promise<boolean | null> {
  if (typeof stateful === 'boolean') return null;
  const argv = ['/bin/bash', '-c', 'eval "$(cat)"'] as const;
  const output = await host.query(argv, { ...optionsOf(args), input: stateful.test_name });
  if (output.exitCode !== 0) throw failed('ask the test_name of a stateful command', argv, output);
  return hasChanged(output.stdout);
}

/** Why a dry run of a stateful command cannot know. */
export function uncertaintyOf({ stateful }: Verdict): string | null {
  return stateful === true ? 'only the command itself tells whether it changes anything' : null;
}
