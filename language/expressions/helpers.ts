import type { Helper } from './helper.ts';
import { CHOICE_HELPERS } from './helpers-choice.ts';
import { TEXT_HELPERS } from './helpers-text.ts';
import { VALUE_HELPERS } from './helpers-value.ts';

/** Every helper there is: a closed list. */
export const HELPERS: Readonly<Record<string, Helper>> = {
  ...CHOICE_HELPERS,
  ...TEXT_HELPERS,
  ...VALUE_HELPERS,
};

/** `undefined` for what is no helper, whatever JavaScript has by that name. */
export function findHelper(name: string): Helper | undefined {
  return Object.hasOwn(HELPERS, name) ? HELPERS[name] : undefined;
}

export const HELPER_NAMES: ReadonlySet<string> = new Set(Object.keys(HELPERS));
