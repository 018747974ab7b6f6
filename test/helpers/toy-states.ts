import { z } from 'zod';
import type { StateSchema } from '../../language/state-schema.ts';
import { isTreeFile } from '../../shared/tree-file.ts';

/** Types with a few arguments, for tests of the language alone. */
function toy<Args>(
  name: StateSchema['name'],
  schema: z.ZodType<Args>,
  more: Partial<Omit<StateSchema, 'provides' | 'needs'>> & {
    provides?(args: Args): readonly string[];
    needs?(args: Args): readonly string[];
  } = {},
): [string, StateSchema] {
  const type = {
    name,
    schema,
    ...more,
    provides: (args: unknown) => more.provides?.(schema.parse(args)) ?? [],
    needs: (args: unknown) => more.needs?.(schema.parse(args)) ?? [],
  };
  return [name, type];
}

const name = z.string();

export const toyStates: ReadonlyMap<string, StateSchema> = new Map([
  toy(
    'pkg.installed',
    z.strictObject({ name, version: z.string().optional(), pkgs: z.array(z.string()).optional() }),
    { provides: (args) => [`package:${args.name}`] },
  ),
  toy('pkg.removed', z.strictObject({ name })),
  toy(
    'user.present',
    z.strictObject({
      name,
      uid: z.int().min(1).max(65_535).optional(),
      shell: z.enum(['/bin/bash', '/bin/sh']).optional(),
      password: z.string().optional(),
    }),
    { provides: (args) => [`user:${args.name}`] },
  ),
  toy(
    'file.managed',
    z
      .strictObject({
        name: z.string().startsWith('/'),
        mode: z.union([z.string(), z.number()]).optional(),
        user: z.string().optional(),
        source: z
          .union([
            z.string(),
            z.custom(isTreeFile),
            z.array(z.union([z.string(), z.custom(isTreeFile)])),
          ])
          .optional(),
        contents: z.string().optional(),
        context: z.record(z.string(), z.json()).optional(),
        defaults: z.record(z.string(), z.json()).optional(),
        template: z.union([z.string(), z.boolean()]).optional(),
        check_cmd: z.string().optional(),
      })
      .refine((args) => args.source === undefined || args.contents === undefined, {
        message: 'takes source or contents, not both',
      }),
    {
      treeFiles: ['source'],
      provides: (args) => [`path:${args.name}`],
      needs: (args) => [
        `path:${args.name.replace(/\/[^/]*$/u, '')}`,
        ...(args.user === undefined ? [] : [`user:${args.user}`]),
      ],
    },
  ),
  toy('file.directory', z.strictObject({ name, user: z.string().optional() }), {
    provides: (args) => [`path:${args.name}`],
    needs: (args) => (args.user === undefined ? [] : [`user:${args.user}`]),
  }),
  toy('service.running', z.strictObject({ name, enable: z.boolean().optional() }), {
    provides: (args) => [`service:${args.name}`],
    needs: (args) => [`package:${args.name}`],
  }),
  toy('port.allocated', z.strictObject({ name }), { provides: (args) => [`port:${args.name}`] }),
  toy(
    'cmd.run',
    z.strictObject({ name, always: z.boolean().optional(), runas: z.string().optional() }),
    { needsGuard: true },
  ),
]);
