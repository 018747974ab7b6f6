import { z } from 'zod';
import { showPlace } from '../../language/place.ts';
import type { Attributes } from '../../shared/change.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { StateType } from '../engine/state-type.ts';
import type { Places } from './places.ts';

const attributes = z.record(z.string(), z.json());
const names = z.array(z.string());

/**
 * A state type of the tree as the engine may use it: what its code throws that is no refusal of its
 * own is told with its place in the tree, and what it gives is plain data or an error.
 */
export function guarded(type: StateType, places: Places): StateType {
  const guard = guardFor(type, places);
  return {
    ...type,
    reach: 'anything',
    read: async (args, host) =>
      attributesOf('read', guard, await guard.awaited(() => type.read(args, host))),
    want: async (args, host) =>
      attributesOf('want', guard, await guard.awaited(async () => type.want(args, host))),
    ...refusing(type, guard),
    apply: async (change, args, host) => guard.awaited(() => type.apply(change, args, host)),
    ...wiring(type, guard),
    ...reacting(type, guard),
  };
}

/** What a plan asks for, if the type has it. */
function refusing(type: StateType, guard: Guard): Pick<StateType, 'refuses'> {
  if (type.refuses === undefined) return {};
  return {
    refuses: async (change, args, host) =>
      guard.awaited(async () => type.refuses?.(change, args, host)),
  };
}

/** What the compiler asks for, if the type has it. */
function wiring(
  type: StateType,
  guard: Guard,
): Pick<StateType, 'provides' | 'takes' | 'path' | 'needs'> {
  return {
    ...(type.provides === undefined
      ? {}
      : { provides: (args) => guard.given('provides', names, () => type.provides?.(args)) }),
    ...(type.takes === undefined
      ? {}
      : { takes: (args) => guard.given('takes', names, () => type.takes?.(args)) }),
    ...(type.path === undefined
      ? {}
      : { path: (args) => guard.given('path', z.string(), () => type.path?.(args)) }),
    ...(type.needs === undefined
      ? {}
      : { needs: (args) => guard.given('needs', names, () => type.needs?.(args)) }),
  };
}

/** What a watch asks for, if the type has it. */
function reacting(type: StateType, guard: Guard): Pick<StateType, 'answers' | 'react'> {
  return {
    ...(type.answers === undefined
      ? {}
      : { answers: (change) => guard.given('answers', z.boolean(), () => type.answers?.(change)) }),
    ...(type.react === undefined
      ? {}
      : {
          react: async (args, host) => {
            const said = await guard.awaited(async () => type.react?.(args, host));
            return guard.given('react', z.string(), () => said);
          },
        }),
  };
}

type Guard = ReturnType<typeof guardFor>;

function guardFor({ name }: StateType, places: Places) {
  const explain = (error: unknown): unknown => {
    if (error instanceof ConductorError || isAbort(error)) return error;
    const place = places.ofError(error);
    const where = place === null ? '' : `${showPlace(place)}: `;
    const message = `Cannot converge ${name}: ${where}${messageOf(error)}`;
    return new ConductorError('CUSTOM_TYPE_FAILED', message, { cause: error });
  };
  return {
    async awaited<T>(act: () => Promise<T>): Promise<T> {
      try {
        return await act();
      } catch (error) {
        throw explain(error);
      }
    },
    /** What a function of the type gives, if it is what the schema says. */
    given<T>(part: string, schema: z.ZodType<T>, act: () => unknown): T {
      let value: unknown;
      try {
        value = act();
      } catch (error) {
        throw explain(error);
      }
      const found = schema.safeParse(value);
      if (found.success) return found.data;
      const message = `Cannot use what "${part}" of ${name} gives: ${z.prettifyError(found.error)}`;
      throw new ConductorError('CUSTOM_TYPE_FAILED', message);
    },
  };
}

/** What is not said may be left out or be `undefined`. */
function attributesOf(part: string, guard: Guard, value: unknown): Attributes | null {
  return guard.given(part, attributes.nullable(), () => {
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
  });
}

/** The run or the state has to end: that is nobody's mistake. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
